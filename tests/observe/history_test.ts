/** A row a minute, over restarts, gaps and clocks that are set back. */

import { assertEquals } from "@std/assert";
import { Counters } from "../../lib/observe/counters.ts";
import { History } from "../../lib/observe/history.ts";
import { HISTORY_MINUTES } from "../../lib/state/retention.ts";
import { TestClock } from "../support/test_clock.ts";
import { command, connected, login, MemoryCounterStore } from "./support.ts";

const MINUTE = 60_000;
const START = 1_700_000_040_000;

Deno.test("history holds what each minute counted, the one under way last", () => {
  const clock = new TestClock(START);
  const sessions = { size: 0 };
  const counters = new Counters(sessions);
  counters.observe(connected("0"));
  const history = new History(counters, { clock });
  history.tick();
  counters.observe(connected("1"));
  counters.observe(connected("2"));
  sessions.size = 2;
  counters.observe(command("1", "STAT", { milliseconds: 4 }));
  clock.advance(MINUTE);
  history.tick();
  counters.observe(connected("3"));
  sessions.size = 1;
  assertEquals(history.query("pop3.connections"), [
    { minute: START, value: 2 },
    { minute: START + MINUTE, value: 1 },
  ]);
  assertEquals(history.query("pop3.sessions.active")?.map(({ value }) => value), [2, 1]);
  assertEquals(history.query("pop3.command.duration")?.map(({ value }) => value), [4, 0]);
  assertEquals(history.query("pop3.connections", 1), [{ minute: START + MINUTE, value: 1 }]);
  assertEquals(history.query("nonsense"), undefined);
});

Deno.test("history forgets after a week, and leaves out minutes in which nothing ran", () => {
  const clock = new TestClock(START);
  const counters = new Counters({ size: 0 });
  const history = new History(counters, { clock });
  for (let n = 0; n < HISTORY_MINUTES + 10; n++) {
    clock.advance(MINUTE);
    counters.observe(login("1"));
    history.tick();
  }
  const all = history.query("pop3.logins", HISTORY_MINUTES);
  assertEquals(all?.length, HISTORY_MINUTES);
  assertEquals(all?.at(-1)?.minute, clock.wall());
  clock.advance(30 * MINUTE);
  assertEquals(history.query("pop3.logins", 60)?.length, 31);
});

Deno.test("history goes on after a restart, also within one minute", async () => {
  const clock = new TestClock(START);
  const store = new MemoryCounterStore();
  const first = new Counters({ size: 0 });
  {
    const history = new History(first, { clock, store });
    await history.load();
    await using _running = history.start();
    first.observe(login("1"));
    clock.advance(MINUTE);
    history.tick();
    first.observe(login("2"));
    first.observe(login("3"));
  }
  const second = new Counters({ size: 0 });
  second.restore(first.totals());
  const history = new History(second, { clock, store });
  await history.load();
  second.observe(login("4"));
  assertEquals(history.query("pop3.logins"), [
    { minute: START, value: 1 },
    { minute: START + MINUTE, value: 3 },
  ]);
});

/** Logs in once a minute. */
function minutes(clock: TestClock, counters: Counters, history: History, count: number): void {
  for (let n = 0; n < count; n++) {
    history.tick();
    counters.observe(login("1"));
    history.tick();
    clock.advance(MINUTE);
  }
}

Deno.test("history goes on at once when the clock is set back, and moves what was written ahead of it", async () => {
  const clock = new TestClock(START);
  const store = new MemoryCounterStore();
  const counters = new Counters({ size: 0 });
  const history = new History(counters, { clock, store });
  await history.load();
  minutes(clock, counters, history, 3);
  // Somebody mistypes the year, and mends it ten minutes later.
  clock.set(clock.wall() + 365 * 24 * 60 * MINUTE);
  minutes(clock, counters, history, 10);
  clock.set(START + 13 * MINUTE);
  minutes(clock, counters, history, 3);
  const rows = history.query("pop3.logins", 60)!;
  assertEquals(rows.map(({ minute }) => (minute - START) / MINUTE), [...Array(17).keys()]);
  assertEquals(rows.map(({ value }) => value), [...Array(16).fill(1), 0]);
  await history.start()[Symbol.asyncDispose]();
  assertEquals([...store.minutes.keys()], rows.map(({ minute }) => minute / MINUTE));
});

Deno.test("history of a clock that was right before it was set back gives way to what was counted last", () => {
  const clock = new TestClock(START);
  const counters = new Counters({ size: 0 });
  const history = new History(counters, { clock });
  minutes(clock, counters, history, 10);
  clock.set(clock.wall() - 4 * MINUTE);
  minutes(clock, counters, history, 2);
  const rows = history.query("pop3.logins", 60)!;
  const times = rows.map(({ minute }) => (minute - START) / MINUTE);
  assertEquals(times, [...times].sort((a, b) => a - b), "in order");
  assertEquals(new Set(times).size, times.length);
  assertEquals(times.at(-1), 8);
});

Deno.test("history keeps a week of minutes when a start's clock is a year ahead", async () => {
  const store = new MemoryCounterStore();
  const right = new TestClock(START);
  {
    const counters = new Counters({ size: 0 });
    const history = new History(counters, { clock: right, store });
    await history.load();
    minutes(right, counters, history, 5);
    await history.start()[Symbol.asyncDispose]();
  }
  {
    const wrong = new TestClock(START + 365 * 24 * 60 * MINUTE);
    const counters = new Counters({ size: 0 });
    const history = new History(counters, { clock: wrong, store });
    await history.load();
    minutes(wrong, counters, history, 2);
    await history.start()[Symbol.asyncDispose]();
  }
  right.advance(MINUTE);
  const history = new History(new Counters({ size: 0 }), { clock: right, store });
  await history.load();
  assertEquals(history.query("pop3.logins", 60)!.map(({ value }) => value), [1, 1, 1, 1, 1, 0, 0]);
});

Deno.test("history goes on when its store fails", async () => {
  const clock = new TestClock(START);
  const store = new MemoryCounterStore();
  const counters = new Counters({ size: 0 });
  const history = new History(counters, { clock, store });
  await history.load();
  await using _running = history.start();
  store.broken = true;
  counters.observe(login("1"));
  clock.advance(MINUTE);
  assertEquals(history.query("pop3.logins")?.map(({ value }) => value), [1, 0]);
});

Deno.test("history saves the minutes of an outage of its store when that is over", async () => {
  const clock = new TestClock(START);
  const store = new MemoryCounterStore();
  const counters = new Counters({ size: 0 });
  const history = new History(counters, { clock, store });
  await history.load();
  {
    await using _running = history.start();
    store.broken = true;
    for (let minute = 0; minute < 3; minute++) {
      counters.observe(login("1"));
      history.tick();
      clock.advance(MINUTE);
      history.tick();
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals(store.minutes.size, 0);
    store.broken = false;
  }
  const minutes = [...store.minutes].map(([minute, values]) => [
    minute * MINUTE - START,
    values.get("pop3.logins"),
  ]);
  assertEquals(minutes, [[0, 1], [MINUTE, 1], [2 * MINUTE, 1], [3 * MINUTE, 0]]);
});
