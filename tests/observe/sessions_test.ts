/** The table of sessions, the access log made from it, and the fan-out that feeds both. */

import { assertEquals } from "@std/assert";
import { accessLog } from "../../lib/observe/access_log.ts";
import { eventLog } from "../../lib/observe/event_log.ts";
import { fanOut } from "../../lib/observe/fan_out.ts";
import { Sessions } from "../../lib/observe/sessions.ts";
import { command, connected, disconnected, login, notes, refused } from "./support.ts";
import { TestClock } from "../support/test_clock.ts";

Deno.test("a session's row follows it from authorization to its end", () => {
  const sessions = new Sessions();
  sessions.observe(connected("1"));
  sessions.observe({ type: "tls", session: "1", version: "TLSv1.3", ok: true });
  sessions.observe(command("1", "USER"));
  assertEquals(sessions.get("1")?.state, "authorization");
  sessions.observe(login("1"));
  sessions.observe(command("1", "RETR"));
  sessions.observe({ type: "retrieved", session: "1", octets: 90 });
  sessions.observe({ type: "sent", session: "1", octets: 100 });
  assertEquals([...sessions], [{
    id: "1",
    user: "alice",
    address: "192.0.2.7",
    port: 110,
    tls: "TLSv1.3",
    mechanism: "USER",
    state: "transaction",
    since: 1000,
    login: 2000,
    bytes: 100,
    retrieved: 1,
    retrievedOctets: 90,
    deleted: 0,
    lastCommand: "RETR",
  }]);
  sessions.observe(command("1", "QUIT"));
  assertEquals(sessions.get("1")?.state, "update");
  sessions.observe(disconnected("1"));
  assertEquals(sessions.size, 0);
  sessions.observe(command("1", "NOOP"));
  assertEquals(sessions.size, 0);
});

Deno.test("the access log notes a login at once and completes it at the end", () => {
  const noted: unknown[] = [];
  const { said, log } = notes();
  const sessions = new Sessions(accessLog({
    opened: (start) => noted.push(start),
    completed: (session, end) => noted.push([session, end]),
  }, log));
  sessions.observe(connected("0"));
  sessions.observe(disconnected("0"));
  assertEquals(noted, []);
  sessions.observe(connected("1"));
  sessions.observe(login("1"));
  assertEquals(noted, [{
    session: "1",
    at: 2000,
    user: "alice",
    address: "192.0.2.7",
    tls: undefined,
    mechanism: "USER",
  }]);
  sessions.observe({ type: "retrieved", session: "1", octets: 90 });
  sessions.observe({ type: "deleted", session: "1", messages: 2 });
  sessions.observe(disconnected("1", { reason: "idle" }));
  assertEquals(noted[1], ["1", {
    ended: 5000,
    messages: 1,
    octets: 90,
    deleted: 2,
    ending: "idle",
  }]);
  assertEquals(said, ["info: alice from 192.0.2.7: 1 messages, 90 octets, 2 deleted, idle"]);
});

Deno.test("an observer that throws is told once a minute and harms no other", () => {
  const clock = new TestClock();
  const failures: string[] = [];
  let seen = 0;
  const observe = fanOut({
    bad: () => {
      throw new Error("no");
    },
    good: () => seen++,
  }, { clock, failed: (name, error) => failures.push(`${name} ${error}`) });
  for (let second = 0; second < 120; second++) {
    observe(connected("1"));
    clock.advance(1000);
    // The wall clock does not matter.
    clock.set(0);
  }
  assertEquals(seen, 120);
  assertEquals(failures, ["bad Error: no", "bad Error: no"]);
});

Deno.test("the event log tells connections at debug, refusals at info, commands at trace", () => {
  const { said, log } = notes();
  const observe = eventLog(log, log);
  observe(connected("1"));
  observe(refused("1"));
  observe(command("1", "STAT"));
  observe(disconnected("1"));
  assertEquals(said, [
    "debug: 192.0.2.7 connected",
    "info: postern-auth: rejected user=<alice> rip=<192.0.2.7> reason=credentials",
    "trace: command",
    "debug: Session 1 ended: quit",
  ]);
});
