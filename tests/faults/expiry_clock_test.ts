/** `expire` beside a wall clock that is wrong, or set while the server runs: it counts the time that the server has seen pass. */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import {
  faultTest,
  type FaultyProgram,
  startFaultyProgram,
} from "../support/fault_injection/fault_injection.ts";
import { makeMailbox, messageFiles, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { type LogLine, startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

const DAY = 86_400_000;
const YEAR = 365 * DAY;

/** alice has two messages in a folder with a state file. */
async function stage(): Promise<
  { readonly mailbox: string; readonly state: string } & AsyncDisposable
> {
  const folder = await temporaryFolder();
  const mailbox = join(folder.path, "mail", "alice");
  await makeMailbox(mailbox, "maildir", [messageOfSize(300), messageOfSize(301)]);
  const state = join(folder.path, "state.db");
  return { mailbox, state, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

function options(mailbox: string, state: string, days = "30"): Parameters<typeof startProgram>[0] {
  return {
    maildir: join(mailbox, ".."),
    state,
    users: { alice: "secret" },
    flags: ["--expire", days, "--workers", "1"],
  };
}

/** A session; retrieves so many messages. Tells how many there were. */
async function session(
  { program }: Pick<FaultyProgram, "program">,
  retrieve = 0,
): Promise<number> {
  using client = await program.connect();
  const answer = await client.login("alice", "secret");
  for (let number = 1; number <= retrieve; number++) await client.retrieve(number);
  await client.ok("QUIT");
  await client.ended();
  return Number(/^\+OK (\d+) /.exec(answer)?.[1]);
}

function clockWarnings(log: readonly LogLine[]): string[] {
  return log.map((line) => line.message).filter((message) => /wall clock/.test(message));
}

faultTest(
  "what was retrieved while the clock stood in 1970 is kept for its days when the clock is set right",
  async () => {
    await using given = await stage();
    const { mailbox, state } = given;
    {
      await using running = await startFaultyProgram({
        ...options(mailbox, state),
        clock: DAY - Date.now(),
      });
      assertEquals(await session(running, 2), 2);
      await running.faults.set({ clock: 0 });
      assertEquals(await session(running), 2);
    }
    await using program = await startProgram(options(mailbox, state));
    assertEquals(await session({ program }), 2);
    assertEquals((await messageFiles(mailbox)).length, 2);
  },
);

for (
  const [name, clock] of [["a year ahead", YEAR], ["a year behind", -YEAR], [
    "in 1970",
    DAY - Date.now(),
  ]] as const
) {
  faultTest(`a start with the clock ${name} removes nothing and warns once`, async () => {
    await using given = await stage();
    const { mailbox, state } = given;
    {
      await using program = await startProgram(options(mailbox, state));
      assertEquals(await session({ program }, 2), 2);
    }
    {
      await using running = await startFaultyProgram({ ...options(mailbox, state), clock });
      assertEquals(await session(running), 2);
      const warnings = clockWarnings(running.program.log);
      assertEquals(warnings.length, 1, running.program.stderr);
      assertMatch(warnings[0]!, /days (ahead of|behind) the end of the last run/);
    }
    // Set right again: the same must hold, and nothing was forgotten.
    await using program = await startProgram(options(mailbox, state));
    assertEquals(await session({ program }), 2);
    assertEquals((await messageFiles(mailbox)).length, 2);
  });
}

faultTest("the clock being set by a year while the server runs removes nothing", async () => {
  await using given = await stage();
  const { mailbox, state } = given;
  await using running = await startFaultyProgram(options(mailbox, state));
  assertEquals(await session(running, 2), 2);
  for (const clock of [YEAR, -YEAR, 0]) {
    await running.faults.set({ clock });
    assertEquals(await session(running), 2);
  }
  assertEquals((await messageFiles(mailbox)).length, 2);
});

Deno.test("the sweep at the start removes what has had its days, also of a user who does not come", async () => {
  await using given = await stage();
  const { mailbox, state } = given;
  {
    await using program = await startProgram(options(mailbox, state, "2"));
    assertEquals(await session({ program }, 1), 2);
  }
  {
    await using opened = await SqliteState.open({ path: state });
    const kept = (await opened.installation.runningTime())!;
    await opened.installation.keepRunningTime({ ...kept, running: kept.running + 2 * DAY });
  }
  await using program = await startProgram(options(mailbox, state, "2"));
  await eventually("the sweep", async () => (await messageFiles(mailbox)).length === 1);
  assertEquals(await session({ program }), 1);
});
