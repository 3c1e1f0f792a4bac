/** A row a minute, over restarts, gaps and clocks that are set back. */

import { assertEquals } from "@std/assert";
import { Counters } from "../../lib/observe/counters.ts";
import { History } from "../../lib/observe/history.ts";
import { HISTORY_MINUTES } from "../../lib/state/retention.ts";
import { command, connected, login, MemoryCounterStore } from "./support.ts";

const MINUTE = 60_000;
const START = 1_700_000_040_000;

Deno.test("history holds what each minute counted, the one under way last", () => {
  let now = START;
  const sessions = { size: 0 };
  const counters = new Counters(sessions);
  counters.observe(connected("0"));
  const history = new History(counters, { now: () => now });
  history.tick();
  counters.observe(connected("1"));
  counters.observe(connected("2"));
  sessions.size = 2;
  counters.observe(command("1", "STAT", { milliseconds: 4 }));
  now += MINUTE;
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
  let now = START;
  const counters = new Counters({ size: 0 });
  const history = new History(counters, { now: () => now });
  for (let n = 0; n < HISTORY_MINUTES + 10; n++, now += MINUTE) {
    counters.observe(login("1"));
    history.tick();
  }
  now -= MINUTE;
  const all = history.query("pop3.logins", HISTORY_MINUTES);
  assertEquals(all?.length, HISTORY_MINUTES);
  assertEquals(all?.at(-1)?.minute, now);
  now += 30 * MINUTE;
  assertEquals(history.query("pop3.logins", 60)?.length, 31);
});

Deno.test("history goes on after a restart, also within one minute", async () => {
  let now = START;
  const store = new MemoryCounterStore();
  const first = new Counters({ size: 0 });
  {
    const history = new History(first, { now: () => now, store });
    await history.load();
    await using _running = history.start();
    first.observe(login("1"));
    now += MINUTE;
    history.tick();
    first.observe(login("2"));
    first.observe(login("3"));
  }
  const second = new Counters({ size: 0 });
  second.restore(first.totals());
  const history = new History(second, { now: () => now, store });
  await history.load();
  second.observe(login("4"));
  assertEquals(history.query("pop3.logins"), [
    { minute: START, value: 1 },
    { minute: START + MINUTE, value: 3 },
  ]);
});

Deno.test("history does not write the past anew when the clock is set back", () => {
  let now = START;
  const counters = new Counters({ size: 0 });
  const history = new History(counters, { now: () => now });
  history.tick();
  counters.observe(login("1"));
  now -= 10 * MINUTE;
  history.tick();
  counters.observe(login("2"));
  now += 10 * MINUTE;
  assertEquals(history.query("pop3.logins"), [{ minute: START, value: 2 }]);
});

Deno.test("history goes on when its store fails", async () => {
  let now = START;
  const store = new MemoryCounterStore();
  const counters = new Counters({ size: 0 });
  const history = new History(counters, { now: () => now, store });
  await history.load();
  await using _running = history.start();
  store.broken = true;
  counters.observe(login("1"));
  now += MINUTE;
  assertEquals(history.query("pop3.logins")?.map(({ value }) => value), [1, 0]);
});

Deno.test("history saves the minutes of an outage of its store when that is over", async () => {
  let now = START;
  const store = new MemoryCounterStore();
  const counters = new Counters({ size: 0 });
  const history = new History(counters, { now: () => now, store });
  await history.load();
  {
    await using _running = history.start();
    store.broken = true;
    for (let minute = 0; minute < 3; minute++) {
      counters.observe(login("1"));
      history.tick();
      now += MINUTE;
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
