/** A wall clock that is set while the server runs: what lasts a time lasts that time, and neither a year more nor a year less. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import { faultTest, startFaultyProgram } from "../support/fault_injection/fault_injection.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import type { RunningProgram } from "../support/program.ts";

const YEAR = 365 * 86_400_000;

/** Greets, logs in, says QUIT. Returns the greeting if it refused, else the answer to PASS. */
async function logIn(program: RunningProgram, password: string): Promise<string> {
  using client = await program.connect();
  const greeting = await client.line();
  if (greeting.startsWith("-ERR")) return greeting;
  await client.ok("USER alice");
  const answer = await client.command(`PASS ${password}`);
  if (answer.startsWith("+OK")) {
    await client.ok("QUIT");
    await client.ended();
  }
  return answer;
}

faultTest("LOGIN-DELAY goes by the time that has passed, not by the wall clock", async () => {
  await using folder = await temporaryFolder();
  await using stage = await startFaultyProgram({
    maildir: folder.path,
    users: { alice: "secret" },
    flags: ["--login-delay", "3600"],
  });
  const { program, faults } = stage;
  assertMatch(await logIn(program, "secret"), /^\+OK/);
  for (const clock of [-YEAR, YEAR]) {
    await faults.set({ clock });
    const answer = await logIn(program, "secret");
    const seconds = Number(/^-ERR \[LOGIN-DELAY\] Log in again in (\d+) seconds/.exec(answer)?.[1]);
    assert(seconds > 3000 && seconds <= 3600, answer);
  }
});

faultTest("a ban is neither ended nor prolonged by setting the wall clock", async () => {
  await using folder = await temporaryFolder();
  await using stage = await startFaultyProgram({
    maildir: folder.path,
    users: { alice: "secret" },
    flags: ["--auth-delay", "0"],
  });
  const { program, faults } = stage;
  for (let guess = 0; guess < 20; guess++) {
    assertMatch(await logIn(program, `guess ${guess}`), /^-ERR/);
  }
  for (const clock of [0, YEAR, -YEAR]) {
    await faults.set({ clock });
    assertEquals(
      await logIn(program, "secret"),
      "-ERR [AUTH] Too many failed logins, try again later",
    );
  }
});

faultTest("the time for logging in does not end when the wall clock is set ahead", async () => {
  await using folder = await temporaryFolder();
  await using stage = await startFaultyProgram({
    maildir: folder.path,
    users: { alice: "secret" },
  });
  const { program, faults } = stage;
  using client = await program.connect();
  await client.line();
  await faults.set({ clock: YEAR });
  await client.ok("USER alice");
  await client.ok("PASS secret");
  await client.ok("QUIT");
});

faultTest(
  "a start with the clock a year ahead keeps access log and history, which go on when it is set right",
  async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "state.db");
    const options = { maildir: folder.path, state: path, users: { alice: "secret" } };
    for (const clock of [0, YEAR, 0]) {
      await using stage = await startFaultyProgram({ ...options, clock });
      assertMatch(await logIn(stage.program, "secret"), /^\+OK/);
    }
    await using state = await SqliteState.open({ path });
    const accesses = await state.accesses.list("alice", 10);
    assertEquals(accesses.map(({ at }) => Math.round((at - Date.now()) / YEAR)), [0, 1, 0]);
    const minutes = await Array.fromAsync(state.counters.history("pop3.logins", 0));
    const total = (from: number, to: number): number =>
      minutes.filter(({ minute }) => minute * 60_000 > from && minute * 60_000 < to)
        .reduce((sum, { value }) => sum + value, 0);
    const now = Date.now();
    assertEquals(total(now - YEAR / 2, now + YEAR / 2), 2);
    assertEquals(total(now + YEAR / 2, Infinity), 1);
  },
);

faultTest(
  "history goes on at once when the clock is set back, and its minutes are the right ones",
  async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "state.db");
    {
      await using stage = await startFaultyProgram({
        maildir: folder.path,
        state: path,
        users: { alice: "secret" },
        clock: YEAR,
      });
      assertMatch(await logIn(stage.program, "secret"), /^\+OK/);
      await stage.faults.set({ clock: 0 });
      assertMatch(await logIn(stage.program, "secret"), /^\+OK/);
    }
    await using state = await SqliteState.open({ path });
    const minutes = await Array.fromAsync(state.counters.history("pop3.logins", 0));
    assertEquals(minutes.reduce((sum, { value }) => sum + value, 0), 2);
    for (const { minute } of minutes) {
      assert(Math.abs(minute * 60_000 - Date.now()) < 10 * 60_000, "a minute of the wrong clock");
    }
  },
);
