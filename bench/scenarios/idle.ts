/** Ten thousand connections that do nothing: what they cost, and whether the next login is slower. */

import { join } from "node:path";
import { connect, type LightClient } from "../support/light_client.ts";
import { temporaryFolder } from "../support/mail.ts";
import { memoryOf, processorSeconds } from "../support/processes.ts";
import type { Notebook, Scenario } from "../support/scenario.ts";
import { plainUsers, type RunningProgram, startServer } from "../support/server.ts";
import { median, timed } from "../support/statistics.ts";

const CONNECTIONS = 10_000;
const PROBES = 200;
const AT_A_TIME = 50;
/** Milliseconds over which idleness is watched. */
const WATCHED = 5000;

/** See {@linkcode Scenario}. */
export const idleGreeted: Scenario = {
  name: "idle-greeted",
  about: `${CONNECTIONS} connections that were greeted and say nothing`,
  run: (notebook) => idle(notebook, (client) => client.ok(), 250),
};

/** See {@linkcode Scenario}. */
export const idleLoggedIn: Scenario = {
  name: "idle-logged-in",
  about: `${CONNECTIONS} sessions that logged in and say nothing`,
  run: (notebook) => idle(notebook, (client, index) => client.login(`user${index}`), 300),
};

/**
 * @param begin what each connection does before it falls silent
 * @param megabytes that the server may have then
 */
async function idle(
  { say, figure }: Notebook,
  begin: (client: LightClient, index: number) => Promise<void>,
  megabytes: number,
): Promise<void> {
  await using folder = await temporaryFolder();
  const maildir = join(folder.path, "mail");
  await Deno.mkdir(maildir);
  const users = join(folder.path, "users");
  const names = Array.from({ length: CONNECTIONS }, (_, index) => `user${index}`);
  await plainUsers(users, ["probe", ...names]);
  await using program = await startServer({
    maildir,
    flags: [
      ...["--users", users],
      ...["--max-connections", String(CONNECTIONS + 100)],
      ...["--login-timeout", "600"],
    ],
  });
  const before = await loginTime(program);
  say(`${memoryOf(program.pid).now.toFixed(0)} MB without connections`);
  const clients: LightClient[] = [];
  try {
    const [milliseconds] = await timed(() =>
      inTurn(CONNECTIONS, async (index) => {
        const client = await connect(program.port(), "127.0.0.1", 512);
        clients.push(client);
        await begin(client, index);
      })
    );
    figure("connections made", CONNECTIONS / milliseconds * 1000, "/s");
    const busy = processorSeconds(program.pid);
    await new Promise((resolve) => setTimeout(resolve, WATCHED));
    const share = (processorSeconds(program.pid) - busy) / WATCHED * 1e5;
    figure("processor while all are idle", share, "%");
    const { now, peak } = memoryOf(program.pid);
    figure("memory", now, "MB", { atMost: megabytes });
    figure("memory at most", peak, "MB", { atMost: megabytes });
    figure("one more login to the first", await loginTime(program) / before, "×", { atMost: 1.2 });
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
}

/** Median milliseconds from connecting to the answer to PASS. */
async function loginTime(program: RunningProgram): Promise<number> {
  const times: number[] = [];
  for (let probe = 0; probe < PROBES; probe++) {
    const [milliseconds, client] = await timed(async () => {
      const client = await connect(program.port());
      await client.login("probe");
      return client;
    });
    times.push(milliseconds);
    await client.quit();
  }
  // The first ones warm the server up.
  return median(times.slice(PROBES / 2));
}

/** Does `count` things, some at a time. */
async function inTurn(count: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
    while (next < count) await act(next++);
  }));
}
