/** How long the program takes from SIGTERM to its end while sessions are idle. */

import { join } from "node:path";
import { connect, type LightClient } from "../support/light_client.ts";
import { temporaryFolder } from "../support/mail.ts";
import type { Scenario } from "../support/scenario.ts";
import { plainUsers, startServer } from "../support/server.ts";
import { median, timed } from "../support/statistics.ts";

const SESSIONS = 500;
const GRACE = 1;
const ROUNDS = 3;

/** See {@linkcode Scenario}. */
export const shutdown: Scenario = {
  name: "shutdown",
  about: `SIGTERM to exit with ${SESSIONS} idle sessions and --grace ${GRACE}`,
  async run({ figure }): Promise<void> {
    await using folder = await temporaryFolder();
    const maildir = join(folder.path, "mail");
    await Deno.mkdir(maildir);
    const names = Array.from({ length: SESSIONS }, (_, index) => `user${index}`);
    const users = join(folder.path, "users");
    await plainUsers(users, names);
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await using program = await startServer({
        maildir,
        flags: ["--users", users, "--grace", String(GRACE)],
      });
      const clients: LightClient[] = [];
      try {
        await Promise.all(names.map(async (name) => {
          const client = await connect(program.port(), "127.0.0.1", 512);
          clients.push(client);
          await client.login(name);
        }));
        const [milliseconds, { code }] = await timed(() => program.stop("SIGTERM"));
        if (code !== 0) throw new Error(`The program ended with ${code}`);
        times.push(milliseconds);
      } finally {
        for (const client of clients) client[Symbol.dispose]();
      }
    }
    figure("more than the grace", median(times) - GRACE * 1000, "ms", { atMost: 1000 });
  },
};
