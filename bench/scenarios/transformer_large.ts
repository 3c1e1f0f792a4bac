/** RETR of a very big message through `cat`, against the same RETR without a transformer. */

import { join } from "node:path";
import { connect, lines } from "../support/light_client.ts";
import { makeMaildir, messageName, temporaryFolder, writeBigMessage } from "../support/mail.ts";
import { forgetPeak, memoryOf } from "../support/processes.ts";
import type { Scenario } from "../support/scenario.ts";
import { plainUsers, startServer } from "../support/server.ts";
import { alternate, timed } from "../support/statistics.ts";

const MIB = 512;
const ROUNDS = 5;
const AT_ONCE = 4;
const RETRIEVE = lines("RETR 1");

/** See {@linkcode Scenario}. */
export const transformerLarge: Scenario = {
  name: "transformer-large",
  about: `RETR of ${MIB} MiB through cat, against RETR without a transformer; memory a program`,
  async run({ figure }): Promise<void> {
    await using folder = await temporaryFolder();
    const names = Array.from({ length: AT_ONCE }, (_, index) => `user${index}`);
    const big = await writeBigMessage(join(folder.path, "big"), MIB, "\r\n");
    const users = join(folder.path, "users");
    await plainUsers(users, names);
    // One mail folder is served by one server at a time.
    const start = async (
      name: string,
      flags: readonly string[],
    ): ReturnType<typeof startServer> => {
      const maildir = join(folder.path, name);
      for (const user of names) {
        await makeMaildir(join(maildir, user));
        await Deno.link(big.path, join(maildir, user, "cur", `${messageName(1)}:2,S`));
      }
      return await startServer({ maildir, flags: ["--users", users, ...flags] });
    };
    await using plain = await start("plain", []);
    await using cat = await start("cat", [
      ...["--transformer", "cat"],
      ...["--max-transformers", String(AT_ONCE)],
    ]);
    /** Seconds from RETR to the terminator. */
    const retrieve = async (port: number, user = names[0]!): Promise<number> => {
      const client = await connect(port, "127.0.0.1", 1 << 18);
      await client.login(user);
      await client.send(RETRIEVE);
      const [milliseconds, octets] = await timed(() => client.multiline());
      const first = octets - big.wireOctets;
      if (first < 5 || first > 64) throw new Error(`${octets} octets came for ${big.wireOctets}`);
      await client.quit();
      return milliseconds / 1000;
    };
    const seconds = await alternate(ROUNDS, {
      plain: () => retrieve(plain.port()),
      cat: () => retrieve(cat.port()),
    });
    figure("RETR", big.octets / seconds.plain / 1e9, "GB/s");
    figure("RETR through cat", big.octets / seconds.cat / 1e9, "GB/s");
    figure("through cat to without", seconds.plain / seconds.cat, "×", { atLeast: 0.5 });
    const idle = memoryOf(cat.pid).now;
    forgetPeak(cat.pid);
    await Promise.all(names.map((user) => retrieve(cat.port(), user)));
    const more = memoryOf(cat.pid).peak - idle;
    figure(`memory a program, ${AT_ONCE} at once`, more / AT_ONCE, "MB", { atMost: 16 });
  },
};
