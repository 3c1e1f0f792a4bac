// When users may log in again, by the time that has passed.

import { assertEquals } from "@std/assert";
import { LoginTimes } from "../../lib/auth/login_times.ts";
import { TestClock } from "../support/test_clock.ts";

Deno.test("a login delay ends when it has passed, whatever is done to the wall clock", async () => {
  const clock = new TestClock();
  const times = new LoginTimes(clock);
  await times.note("ann", 60);
  clock.set(0);
  assertEquals(await times.wait("ann", 60), 60);
  clock.advance(59_000);
  clock.set(Date.parse("2100-01-01"));
  assertEquals(await times.wait("ann", 60), 1);
  clock.advance(1000);
  assertEquals(await times.wait("ann", 60), 0);
});
