/** Login to a mailbox of very many messages, when nothing is known of it and when its sizes are kept. */

import { join } from "node:path";
import { connect, lines } from "../support/light_client.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mail.ts";
import type { Scenario } from "../support/scenario.ts";
import { plainUsers, startServer } from "../support/server.ts";
import { median, timed } from "../support/statistics.ts";

const MESSAGES = 100_000;
const ROUNDS = 3;
const MICROSECONDS = 1000 / MESSAGES;

/** See {@linkcode Scenario}. */
export const loginLarge: Scenario = {
  name: "login-large",
  about: `login to ${MESSAGES} messages without sizes in their names: the first, and the next`,
  async run({ say, figure }): Promise<void> {
    await using folder = await temporaryFolder();
    const mailbox = join(folder.path, "mail", "ada");
    say("writing the messages");
    await makeMailbox(mailbox, messageOfSize(1024), MESSAGES, "cur");
    const users = join(folder.path, "users");
    await plainUsers(users, ["ada"]);
    await using program = await startServer({
      maildir: join(folder.path, "mail"),
      flags: ["--users", users],
    });
    const first: number[] = [];
    const next: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await forgetSizes(mailbox);
      first.push(await login(program.port()));
      next.push(await login(program.port()), await login(program.port()));
    }
    figure("first login, a message", median(first) * MICROSECONDS, "µs", { atMost: 15 });
    figure("next login, a message", median(next) * MICROSECONDS, "µs", { atMost: 3 });
  },
};

/** Milliseconds from PASS to its answer. */
async function login(port: number): Promise<number> {
  const client = await connect(port);
  await client.ok();
  await client.ask(lines("USER ada"));
  await client.send(lines("PASS pw"));
  const [milliseconds, answer] = await timed(async () =>
    new TextDecoder().decode(await client.answer())
  );
  const expected = `+OK ${MESSAGES} messages (${MESSAGES * 1024} octets)\r\n`;
  if (answer !== expected) throw new Error(`Answered ${answer}in place of ${expected}`);
  await client.quit();
  return milliseconds;
}

/** Removes what the server keeps of a mailbox: its dot files. */
async function forgetSizes(mailbox: string): Promise<void> {
  for await (const { name } of Deno.readDir(mailbox)) {
    if (name.startsWith(".")) await Deno.remove(join(mailbox, name));
  }
}
