/** RETR of a very big message, against the shortest way from a file to a socket that Deno has. */

import { join } from "node:path";
import { startHelper } from "../support/helper.ts";
import { connect, lines } from "../support/light_client.ts";
import {
  type BigMessage,
  makeMaildir,
  messageName,
  temporaryFolder,
  writeBigMessage,
} from "../support/mail.ts";
import { forgetPeak, memoryOf } from "../support/processes.ts";
import { READ_OCTETS, retrieveBig } from "../support/retrieve_big.ts";
import type { Scenario } from "../support/scenario.ts";
import { plainUsers, startServer } from "../support/server.ts";
import { alternate, timed } from "../support/statistics.ts";

const MIB = 512;
const ROUNDS = 5;
const AT_ONCE = 16;
const RETRIEVE = lines("RETR 1");

/** See {@linkcode Scenario}. */
export const retrieveLarge: Scenario = {
  name: "retrieve-large",
  about:
    `RETR of ${MIB} MiB with CRLF and with LF, against a bare pipeTo; memory, also with ${AT_ONCE} at once`,
  async run({ say, figure }): Promise<void> {
    await using folder = await temporaryFolder();
    const maildir = join(folder.path, "mail");
    const messages: Record<string, BigMessage> = {};
    for (const [user, lineEnd] of [["crlf", "\r\n"], ["lf", "\n"]] as const) {
      await makeMaildir(join(maildir, user));
      const path = join(maildir, user, "cur", `${messageName(1)}:2,S`);
      messages[user] = await writeBigMessage(path, MIB, lineEnd);
    }
    const crowd = Array.from({ length: AT_ONCE }, (_, index) => `user${index}`);
    for (const user of crowd) {
      await makeMaildir(join(maildir, user));
      await Deno.link(messages.lf!.path, join(maildir, user, "cur", `${messageName(1)}:2,S`));
    }
    const users = join(folder.path, "users");
    await plainUsers(users, ["crlf", "lf", ...crowd]);
    await using program = await startServer({ maildir, flags: ["--users", users] });
    const port = program.port();

    for (const [user, message] of Object.entries(messages)) {
      await checkEveryOctet(port, user, message);
      say(`${user}: every octet is right`);
      await using sender = await startHelper("bare_sender", [message.path]);
      const bare = Number(sender.said);
      const seconds = await alternate(ROUNDS, {
        bare: () => receiveBare(bare, message),
        postern: () => retrieveBig(port, user, message),
      });
      figure(`${user}: bare`, message.octets / seconds.bare / 1e9, "GB/s");
      figure(`${user}: RETR`, message.octets / seconds.postern / 1e9, "GB/s");
      figure(`${user}: RETR to bare`, seconds.bare / seconds.postern, "×", { atLeast: 0.6 });
    }
    const alone = memoryOf(program.pid).peak;
    figure("memory", alone, "MB", { atMost: 150 });
    forgetPeak(program.pid);
    const [milliseconds] = await timed(() =>
      Promise.all(crowd.map((user) => retrieveBig(port, user, messages.lf!)))
    );
    figure(`${AT_ONCE} at once`, AT_ONCE * messages.lf!.octets / milliseconds / 1e6, "GB/s");
    const more = memoryOf(program.pid).peak - alone;
    figure(`${AT_ONCE} at once, memory more, each`, more / (AT_ONCE - 1), "MB", { atMost: 4 });
  },
};

/** Seconds from connecting to the end. */
async function receiveBare(port: number, message: BigMessage): Promise<number> {
  const [milliseconds, octets] = await timed(async () => {
    using client = await connect(port, "127.0.0.1", READ_OCTETS);
    return await client.rest();
  });
  if (octets !== message.octets) throw new Error(`${octets} octets came for ${message.octets}`);
  return milliseconds / 1000;
}

/** Compares all that comes with what was written. */
async function checkEveryOctet(port: number, user: string, message: BigMessage): Promise<void> {
  const block = message.wireBlock;
  const end = message.wireOctets - 3;
  let first: number | undefined;
  const client = await connect(port, "127.0.0.1", READ_OCTETS);
  await client.login(user);
  await client.send(RETRIEVE);
  await client.multiline((octets, at) => {
    first ??= octets.indexOf(10) + 1;
    for (let index = Math.max(0, first - at); index < octets.length; index++) {
      const place = at + index - first;
      if (place < end && octets[index] !== block[place % block.length]) {
        throw new Error(`Octet ${place} of ${user}'s message is wrong`);
      }
    }
  });
  await client.quit();
}
