/** Short sessions, as mail clients that look for mail make them: how many a second, with one worker and with two. */

import { join } from "node:path";
import { runHelper } from "../support/helper.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mail.ts";
import type { PollerResult, PollerTask } from "../support/poller.ts";
import { processorSeconds } from "../support/processes.ts";
import type { Scenario } from "../support/scenario.ts";
import { plainUsers, type RunningProgram, startServer } from "../support/server.ts";
import { median } from "../support/statistics.ts";

const USERS = 100;
const MESSAGES = 10;
const SESSIONS = 4000;
const AT_ONCE = 16;
const ROUNDS = 3;

/** See {@linkcode Scenario}. */
export const sessions: Scenario = {
  name: "sessions",
  about:
    `connect, USER, PASS, STAT, LIST, QUIT by ${USERS} users with ${MESSAGES} messages, with 1 and 2 workers`,
  async run({ figure }): Promise<void> {
    await using folder = await temporaryFolder();
    const one = await setUp(join(folder.path, "one"), 1);
    await using _one = one.program;
    const two = await setUp(join(folder.path, "two"), 2);
    await using _two = two.program;
    for (
      const [name, options] of Object.entries({
        "one by one": { users: one.full, pipelined: false },
        "pipelined": { users: one.full, pipelined: true },
        "empty mailboxes, one by one": { users: one.empty, pipelined: false },
      })
    ) {
      // Warm, with every password remembered.
      for (const { program } of [one, two]) await poll(program, { ...options, sessions: 1000 });
      const rates = { one: [] as Rate[], two: [] as Rate[] };
      for (let round = 0; round < ROUNDS; round++) {
        rates.one.push(await poll(one.program, options));
        rates.two.push(await poll(two.program, options));
      }
      const [first, second] = [middle(rates.one), middle(rates.two)];
      figure(`${name}: 1 worker`, first.perSecond, "/s");
      figure(`${name}: 2 workers`, second.perSecond, "/s");
      const target = options.pipelined || options.users === one.empty
        ? undefined
        : { atLeast: 1.6 };
      figure(`${name}: 2 workers to 1`, second.perSecond / first.perSecond, "×", target);
      figure(`${name}: processor a session, 1 worker`, first.processor, "µs");
      figure(`${name}: processor a session, 2 workers`, second.processor, "µs");
      figure(`${name}: the client's processor a session`, second.client, "µs");
    }
  },
};

interface Served {
  readonly program: RunningProgram;
  readonly full: readonly string[];
  readonly empty: readonly string[];
}

async function setUp(folder: string, workers: number): Promise<Served> {
  const maildir = join(folder, "mail");
  const full = Array.from({ length: USERS }, (_, index) => `full${index}`);
  const empty = Array.from({ length: USERS }, (_, index) => `empty${index}`);
  const message = messageOfSize(4096);
  for (const name of full) await makeMailbox(join(maildir, name), message, MESSAGES);
  const users = join(folder, "users");
  await plainUsers(users, [...full, ...empty]);
  const flags = ["--users", users, "--workers", String(workers)];
  return { program: await startServer({ maildir, flags }), full, empty };
}

interface Rate {
  readonly perSecond: number;
  /** Microseconds of processor time that the server spent on a session. */
  readonly processor: number;
  /** And the client. */
  readonly client: number;
}

async function poll(
  program: RunningProgram,
  { users, pipelined, sessions = SESSIONS }: {
    readonly users: readonly string[];
    readonly pipelined: boolean;
    readonly sessions?: number;
  },
): Promise<Rate> {
  const task: PollerTask = { port: program.port(), users, sessions, atOnce: AT_ONCE, pipelined };
  const before = processorSeconds(program.pid);
  const took = await runHelper<PollerResult>("poller", [JSON.stringify(task)]);
  return {
    perSecond: sessions / took.seconds,
    processor: (processorSeconds(program.pid) - before) / sessions * 1e6,
    client: took.processor / sessions * 1e6,
  };
}

function middle(rates: readonly Rate[]): Rate {
  return {
    perSecond: median(rates.map(({ perSecond }) => perSecond)),
    processor: median(rates.map(({ processor }) => processor)),
    client: median(rates.map(({ client }) => client)),
  };
}
