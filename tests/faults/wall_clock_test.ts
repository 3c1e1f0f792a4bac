/** A wall clock that is set while the server runs: what lasts a time lasts that time, and neither a year more nor a year less. */

import { assert, assertEquals, assertMatch } from "@std/assert";
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
