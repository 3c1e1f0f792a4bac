/** Counting: each event in its place, labels bounded, totals that survive. */

import { assert, assertEquals } from "@std/assert";
import { Counters } from "../../lib/observe/counters.ts";
import type { ServerEvent } from "../../lib/contracts/event.ts";
import { keepCounters } from "../../lib/observe/kept_counters.ts";
import { METRICS } from "../../lib/observe/metrics.ts";
import { Sessions } from "../../lib/observe/sessions.ts";
import {
  command,
  connected,
  disconnected,
  login,
  MemoryCounterStore,
  refused,
  transformed,
} from "./support.ts";

function counting(): { counters: Counters; tell: (...events: ServerEvent[]) => void } {
  const sessions = new Sessions();
  const counters = new Counters(sessions);
  return {
    counters,
    tell: (...events) => {
      for (const event of events) {
        sessions.observe(event);
        counters.observe(event);
      }
    },
  };
}

/** A little of everything. */
const DAY: readonly ServerEvent[] = [
  connected("1"),
  { type: "tls", session: "1", version: "TLSv1.3", ok: true },
  connected("2"),
  { type: "tls", session: "2", version: undefined, ok: false },
  refused("1"),
  refused("1", { mechanism: "SCRAM-SHA-256", reason: "banned" }),
  login("1"),
  command("1", "STAT"),
  command("1", "RETR", { milliseconds: 7 }),
  command("1", "?", { outcome: "error" }),
  { type: "retrieved", session: "1", octets: 100 },
  { type: "sent", session: "1", octets: 120 },
  { type: "sent", session: "1", octets: 5 },
  { type: "deleted", session: "1", messages: 2 },
  { type: "transformer-started", session: "1", pid: 7 },
  transformed(),
  transformed({ failure: "timeout" }),
  disconnected("1"),
];

Deno.test("counters count every kind of event in its place", () => {
  const { counters, tell } = counting();
  tell(...DAY);
  assertEquals(counters.figures(), {
    "pop3.sessions.active": 1,
    "pop3.sessions.peak": 2,
    "pop3.connections": 2,
    "pop3.commands": 3,
    "pop3.command.duration": 3,
    "pop3.auth.attempts": 3,
    "pop3.auth.failures": 2,
    "pop3.auth.refusals": 0,
    "pop3.logins": 1,
    "pop3.messages.retrieved": 1,
    "pop3.messages.deleted": 2,
    "pop3.bytes.sent": 125,
    "pop3.transformer.runs": 2,
    "pop3.transformer.failures": 1,
    "pop3.tls.handshakes": 2,
  });
  assertEquals(
    counters.samples("pop3.auth.failures").map(({ labels, value }) => [...labels, value]),
    [["USER", "credentials", 1], ["SCRAM-SHA-256", "banned", 1]],
  );
  assertEquals(counters.get("pop3.nonsense"), undefined);
});

Deno.test("counters of a session that ends twice, or was never there, stay right", () => {
  const { counters, tell } = counting();
  tell(connected("1"), disconnected("1"), disconnected("1"), disconnected("9"));
  assertEquals(counters.get("pop3.sessions.active"), 0);
  tell(connected("2"));
  assertEquals(counters.get("pop3.sessions.active"), 1);
  assertEquals(counters.get("pop3.sessions.peak"), 1);
});

Deno.test("counters tell only so many label values apart", () => {
  const { counters, tell } = counting();
  for (let n = 0; n < 5000; n++) {
    tell(command("1", `X${n}`), refused("1", { mechanism: `M${n}\n"}` }));
  }
  assert(counters.samples("pop3.commands").length <= 64);
  assert(counters.samples("pop3.auth.attempts").length <= 65);
  assertEquals(counters.get("pop3.commands"), 5000);
  assertEquals(counters.get("pop3.auth.failures"), 5000);
  assert(counters.totals().size < 2000);
});

Deno.test("counters restored from their totals say the same, and go on", () => {
  const { counters, tell } = counting();
  tell(...DAY);
  const again = counting();
  again.counters.restore(counters.totals());
  const { "pop3.sessions.active": _, ...figures } = counters.figures();
  const { "pop3.sessions.active": active, ...restored } = again.counters.figures();
  assertEquals(active, 0);
  assertEquals(restored, figures);
  assertEquals(again.counters.totals(), counters.totals());
  again.tell(command("3", "RETR"));
  assertEquals(again.counters.get("pop3.commands"), 4);
  again.counters.restore(
    new Map([["nonsense", 1], ["pop3.logins", -4], ["pop3.commands{A}", 5], ["pop3.logins{x}", 1]]),
  );
  assertEquals(again.counters.get("pop3.commands"), 4);
  assertEquals(again.counters.get("pop3.logins"), 1);
});

Deno.test("kept counters save what changed, survive a failing store, and save at the end", async () => {
  const store = new MemoryCounterStore();
  store.kept.set("pop3.logins", 10);
  const { counters, tell } = counting();
  {
    await using kept = await keepCounters(counters, store, { interval: 3_600_000 });
    assertEquals(counters.get("pop3.logins"), 10);
    await kept.save();
    const before = store.saves;
    await kept.save();
    assertEquals(store.saves, before);
    tell(connected("1"), login("1"));
    store.broken = true;
    await kept.save();
    assertEquals(store.kept.get("pop3.logins"), 10);
    store.broken = false;
    await kept.save();
    assertEquals(store.kept.get("pop3.logins"), 11);
    tell(login("1"));
  }
  assertEquals(store.kept.get("pop3.logins"), 12);
  assertEquals(store.kept.get("pop3.auth.attempts{USER}"), 2);
});

Deno.test("the list of metrics gives every figure a name, a unit and a sentence", () => {
  const { counters } = counting();
  for (const { name, unit, help } of METRICS) {
    assertEquals(counters.get(name), 0);
    assert(unit.length > 0 && help.length > 10 && !help.endsWith("."));
  }
});

Deno.test("counters take wrong credentials alone for failed logins, also what earlier runs counted", () => {
  const { counters, tell } = counting();
  tell(refused("1"), refused("1", { reason: "banned" }));
  for (const reason of ["in-use", "login-delay", "unavailable"] as const) {
    tell(refused("1", { reason }));
  }
  const { "pop3.auth.attempts": attempts, "pop3.auth.failures": failures, ...others } = counters
    .figures();
  assertEquals([attempts, failures, others["pop3.auth.refusals"]], [5, 2, 3]);
  const again = counting();
  again.counters.restore(
    new Map([
      ["pop3.auth.failures{USER,credentials}", 11],
      ["pop3.auth.failures{USER,in-use}", 134],
    ]),
  );
  assertEquals(again.counters.get("pop3.auth.failures"), 11);
  assertEquals(again.counters.get("pop3.auth.refusals"), 134);
});
