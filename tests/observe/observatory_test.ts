/** All observers together, over a restart and a state that fails. */

import { assertEquals, assertRejects } from "@std/assert";
import { openObservatory } from "../../lib/observe/observatory.ts";
import type { AccessEnd, AccessStart } from "../../lib/contracts/record_store.ts";
import { command, connected, disconnected, login, MemoryCounterStore } from "./support.ts";
import { TestClock } from "../support/test_clock.ts";

class Accesses {
  readonly noted: (AccessStart | AccessEnd)[] = [];
  opened(start: AccessStart): void {
    this.noted.push(start);
  }
  completed(_session: string, end: AccessEnd): void {
    this.noted.push(end);
  }
}

Deno.test("an observatory counts, keeps, and goes on after a restart", async () => {
  const state = { accesses: new Accesses(), counters: new MemoryCounterStore() };
  const clock = new TestClock(1_700_000_000_000);
  const seen: string[] = [];
  {
    await using watching = await openObservatory({
      state,
      version: "1.2.3",
      clock,
      telemetry: true,
      observers: { test: (event) => void seen.push(event.type) },
    });
    for (const event of [connected("1"), login("1"), command("1", "STAT"), connected("2")]) {
      watching.observe(event);
    }
    assertEquals(watching.counters.get("pop3.sessions.peak"), 2);
    assertEquals(watching.sessions.size, 2);
    watching.observe(disconnected("1"));
    assertEquals(state.accesses.noted.length, 2);
    assertEquals(watching.history.query("pop3.connections")?.at(-1)?.value, 2);
  }
  assertEquals(seen, ["connected", "login", "command", "connected", "disconnected"]);
  await using again = await openObservatory({ state, version: "1.2.3", clock });
  assertEquals(again.counters.get("pop3.connections"), 2);
  assertEquals(again.counters.get("pop3.sessions.peak"), 2);
  assertEquals(again.counters.get("pop3.sessions.active"), 0);
  again.observe(connected("3"));
  assertEquals(again.history.query("pop3.connections")?.map(({ value }) => value), [3]);
});

Deno.test("an observatory saves totals by itself, again and again", async () => {
  const counters = new MemoryCounterStore();
  await using watching = await openObservatory({
    state: { accesses: new Accesses(), counters },
    version: "1.2.3",
    saveInterval: 1,
  });
  for (const total of [1, 2]) {
    watching.observe(connected(`${total}`));
    while (counters.kept.get("pop3.connections") !== total) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
});

Deno.test("an observatory is not opened over a state that cannot be read", async () => {
  const counters = new MemoryCounterStore();
  counters.totals = () => Promise.reject(new Error("the file is no database"));
  await assertRejects(
    () => openObservatory({ state: { accesses: new Accesses(), counters }, version: "1" }),
    Error,
    "no database",
  );
});
