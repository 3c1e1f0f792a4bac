/** RETR of a very big message through `cat`, with CRLF and with LF, against the same RETR without a transformer. */

import { join } from "node:path";
import { makeMaildir, messageName, temporaryFolder, writeBigMessage } from "../support/mail.ts";
import { forgetPeak, memoryOf } from "../support/processes.ts";
import { retrieveBig } from "../support/retrieve_big.ts";
import type { Scenario } from "../support/scenario.ts";
import { plainUsers, startServer } from "../support/server.ts";
import { alternate } from "../support/statistics.ts";

const MIB = 512;
const ROUNDS = 5;
const AT_ONCE = 4;

/** See {@linkcode Scenario}. */
export const transformerLarge: Scenario = {
  name: "transformer-large",
  about:
    `RETR of ${MIB} MiB with CRLF and with LF through cat, against RETR without a transformer; memory a program`,
  async run({ figure }): Promise<void> {
    await using folder = await temporaryFolder();
    const crowd = Array.from({ length: AT_ONCE }, (_, index) => `user${index}`);
    const crlf = await writeBigMessage(join(folder.path, "crlf"), MIB, "\r\n");
    const lf = await writeBigMessage(join(folder.path, "lf"), MIB, "\n");
    const messages = { crlf, lf, ...Object.fromEntries(crowd.map((user) => [user, crlf])) };
    const users = join(folder.path, "users");
    await plainUsers(users, Object.keys(messages));
    // One mail folder is served by one server at a time.
    const start = async (
      name: string,
      flags: readonly string[],
    ): ReturnType<typeof startServer> => {
      const maildir = join(folder.path, name);
      for (const [user, { path }] of Object.entries(messages)) {
        await makeMaildir(join(maildir, user));
        await Deno.link(path, join(maildir, user, "cur", `${messageName(1)}:2,S`));
      }
      return await startServer({ maildir, flags: ["--users", users, ...flags] });
    };
    await using plain = await start("plain", []);
    await using cat = await start("cat", [
      ...["--transformer", "cat"],
      ...["--max-transformers", String(AT_ONCE)],
    ]);
    for (const [user, message] of Object.entries({ crlf, lf })) {
      const seconds = await alternate(ROUNDS, {
        plain: () => retrieveBig(plain.port(), user, message),
        cat: () => retrieveBig(cat.port(), user, message),
      });
      figure(`${user}: RETR`, message.octets / seconds.plain / 1e9, "GB/s");
      figure(`${user}: RETR through cat`, message.octets / seconds.cat / 1e9, "GB/s");
      figure(`${user}: through cat to without`, seconds.plain / seconds.cat, "×", { atLeast: 0.5 });
    }
    const idle = memoryOf(cat.pid).now;
    forgetPeak(cat.pid);
    await Promise.all(crowd.map((user) => retrieveBig(cat.port(), user, crlf)));
    const more = memoryOf(cat.pid).peak - idle;
    figure(`memory a program, ${AT_ONCE} at once`, more / AT_ONCE, "MB", { atMost: 16 });
  },
};
