/** Minutes rolled up by hours: sums, highest values and means, over restarts and gaps, and with the hour under way. */

import { assertEquals } from "@std/assert";
import { Hours } from "../../lib/observe/hours.ts";
import { TestClock } from "../support/test_clock.ts";
import { MemoryCounterStore } from "./support.ts";

const HOUR = 3_600_000;
const START = Date.parse("2026-01-31T00:00:00Z");

/** A minute's row of three kinds of metrics. */
function row(logins: number, active: number, duration: number): Map<string, number> {
  return new Map([
    ["pop3.logins", logins],
    ["pop3.sessions.active", active],
    ["pop3.command.duration", duration],
  ]);
}

Deno.test("hours are rolled up once they are over, and the one under way is told from its minutes", async () => {
  const clock = new TestClock(START + 2 * HOUR + 5 * 60_000);
  const store = new MemoryCounterStore();
  const first = START / 60_000;
  await store.append(first, row(3, 2, 4));
  await store.append(first + 59, row(4, 1, 0));
  await store.append(first + 61, row(5, 7, 8));
  await store.append(first + 120, row(1, 1, 2));
  const history = {
    query: (name: string) =>
      name === "pop3.logins"
        ? [{ minute: START + HOUR + 60_000, value: 5 }, { minute: START + 2 * HOUR, value: 1 }]
        : [],
  };
  {
    await using hours = new Hours({ store, history, clock });
    assertEquals(await hours.query("pop3.logins", 48), [
      { hour: START, value: 7 },
      { hour: START + HOUR, value: 5 },
      { hour: START + 2 * HOUR, value: 1 },
    ]);
    assertEquals(await hours.query("pop3.sessions.active", 48), [
      { hour: START, value: 2 },
      { hour: START + HOUR, value: 7 },
    ]);
    assertEquals((await hours.query("pop3.command.duration", 48))?.map(({ value }) => value), [
      4,
      8,
    ]);
    assertEquals((await hours.query("pop3.logins", 2))?.length, 2);
    assertEquals(await hours.query("nonsense", 2), undefined);
  }
  // A restart five hours later: what was not rolled up is, what was is not counted again, and gaps stay.
  clock.advance(5 * HOUR);
  await using hours = new Hours({ store, history: { query: () => [] }, clock });
  assertEquals(await hours.query("pop3.logins", 48), [
    { hour: START, value: 7 },
    { hour: START + HOUR, value: 5 },
    { hour: START + 2 * HOUR, value: 1 },
  ]);
});
