/**
 * Sessions one after the other, so many at a time: `poller.ts JSON` with {@linkcode PollerTask}; writes {@linkcode PollerResult}. A process of its own,
 * so that nothing else slows it, and it nothing else.
 */

import { connect, lines } from "./light_client.ts";

/** What is asked of the poller. */
export interface PollerTask {
  readonly port: number;
  readonly users: readonly string[];
  /** Sessions in all. */
  readonly sessions: number;
  readonly atOnce: number;
  /** Whether all commands leave together. */
  readonly pipelined: boolean;
}

/** What it took. */
export interface PollerResult {
  readonly seconds: number;
}

const STAT = lines("STAT");
const LIST = lines("LIST");

/** Runs all sessions. */
async function poll(
  { port, users, sessions, atOnce, pipelined }: PollerTask,
): Promise<PollerResult> {
  const names = users.map((user) => lines(`USER ${user}`));
  const password = lines("PASS pw");
  const trains = users.map((user) => lines(`USER ${user}`, "PASS pw", "STAT", "LIST", "QUIT"));
  const oneByOne = async (user: number): Promise<void> => {
    const client = await connect(port);
    await client.ok();
    await client.ask(names[user]!);
    await client.ask(password);
    await client.ask(STAT);
    await client.send(LIST);
    await client.multiline();
    await client.quit();
  };
  const together = async (user: number): Promise<void> => {
    using client = await connect(port);
    await client.send(trains[user]!);
    let octets = 0;
    let last = 0;
    octets += await client.rest((answer) => last = answer[answer.length - 1]!);
    if (octets < 100 || last !== 10) throw new Error(`${octets} octets came, the last ${last}`);
  };
  const session = pipelined ? together : oneByOne;
  let next = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    // A user's next session begins long after the last one: the mailbox is locked meanwhile.
    while (next < sessions) await session(next++ % users.length);
  }));
  return { seconds: (performance.now() - start) / 1000 };
}

if (import.meta.main) {
  const result = await poll(JSON.parse(Deno.args[0] ?? "{}"));
  // deno-lint-ignore no-console -- this is how its parent learns the result
  console.log(JSON.stringify(result));
}
