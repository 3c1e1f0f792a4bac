/** Mailboxes fetched and emptied by mail programs that send all their commands at once, as fetchmail and mpop do. */

import { join } from "node:path";
import { connect, lines } from "../support/light_client.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mail.ts";
import { memoryOf, processorSeconds } from "../support/processes.ts";
import type { Scenario } from "../support/scenario.ts";
import { plainUsers, startServer } from "../support/server.ts";
import { timed } from "../support/statistics.ts";

const USERS = 100;
const MESSAGES = 1000;
const OCTETS = 4096;
const ALL = USERS * MESSAGES;

/** See {@linkcode Scenario}. */
export const drain: Scenario = {
  name: "drain",
  about: `${USERS} users fetch and delete ${MESSAGES} messages of ${OCTETS} octets each, pipelined`,
  async run({ say, figure }): Promise<void> {
    await using folder = await temporaryFolder();
    const maildir = join(folder.path, "mail");
    const names = Array.from({ length: USERS }, (_, index) => `user${index}`);
    say("writing the messages");
    const message = messageOfSize(OCTETS);
    for (const name of names) await makeMailbox(join(maildir, name), message, MESSAGES);
    const users = join(folder.path, "users");
    await plainUsers(users, names);
    await using program = await startServer({ maildir, flags: ["--users", users] });
    const before = processorSeconds(program.pid);
    const [milliseconds] = await timed(() =>
      Promise.all(names.map((name) => fetchAll(program.port(), name)))
    );
    figure("messages", ALL / milliseconds * 1000, "/s");
    const processor = (processorSeconds(program.pid) - before) / ALL * 1e6;
    figure("processor a message", processor, "µs");
    figure("memory at most", memoryOf(program.pid).peak, "MB");
    figure("messages left", await countLeft(maildir, names), "", { atMost: 0 });
  },
};

/** One user's session, everything behind the greeting in one train. */
async function fetchAll(port: number, name: string): Promise<void> {
  const train = [`USER ${name}`, "PASS pw"];
  for (let number = 1; number <= MESSAGES; number++) train.push(`RETR ${number}`, `DELE ${number}`);
  using client = await connect(port, "127.0.0.1", 1 << 16);
  const sending = client.send(lines(...train, "QUIT"));
  const octets = await client.rest();
  await sending;
  if (octets < MESSAGES * OCTETS) throw new Error(`Only ${octets} octets came to ${name}`);
}

async function countLeft(maildir: string, names: readonly string[]): Promise<number> {
  let left = 0;
  for (const name of names) {
    for (const folder of ["new", "cur"]) {
      for await (const _ of Deno.readDir(join(maildir, name, folder))) left++;
    }
  }
  return left;
}
