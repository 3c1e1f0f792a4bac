/** What is unusual is said once, and again after it was over. */

import { assert, assertEquals } from "@std/assert";
import { Warnings } from "../../lib/observe/warnings.ts";
import { login, notes, refused, transformed } from "./support.ts";

Deno.test("a burst of failed logins is said once, and again after ten quiet minutes", () => {
  const { said, log } = notes();
  const { observe } = new Warnings({ log });
  for (let n = 0; n < 50; n++) observe(refused("1", { at: n * 1000 }));
  assertEquals(said, ["warning: 10 failed logins from 192.0.2.7 within 9 s"]);
  for (let n = 0; n < 10; n++) observe(refused("1", { at: 700_000 + n }));
  assertEquals(said.length, 2);
});

Deno.test("failed logins that are spread out, or not about passwords, are no burst", () => {
  const { said, log } = notes();
  const { observe } = new Warnings({ log });
  for (let n = 0; n < 100; n++) observe(refused("1", { at: n * 10_000 }));
  for (let n = 0; n < 100; n++) observe(refused("1", { reason: "in-use", address: "192.0.2.8" }));
  for (let n = 0; n < 9; n++) observe(refused("1", { address: "192.0.2.9" }));
  assertEquals(said, []);
});

Deno.test("a burst over the addresses of one IPv6 network is one burst", () => {
  const { said, log } = notes();
  const { observe } = new Warnings({ log });
  for (let n = 0; n < 10; n++) observe(refused("1", { address: `2001:db8::${n.toString(16)}` }));
  assertEquals(said, ["warning: 10 failed logins from 2001:db8::/64 within 1 s"]);
});

Deno.test("connections that give way are said once, and again after ten quiet minutes", () => {
  const { said, log } = notes();
  const { observe } = new Warnings({ log });
  const gaveWay = (at: number): void =>
    observe({ type: "disconnected", session: "1", at, reason: "displaced" });
  for (let n = 0; n < 100; n++) gaveWay(n * 60_000);
  assertEquals(said, [
    "warning: All of max_connections are in use: connections that have not logged in are closed for new ones",
  ]);
  gaveWay(7_000_000);
  assertEquals(said.length, 2);
});

Deno.test("a transformer that keeps failing is said once, and that it works again", () => {
  const { said, log } = notes();
  const { observe } = new Warnings({ log });
  for (let n = 0; n < 4; n++) observe(transformed({ failure: "exit-status" }));
  observe(transformed());
  assertEquals(said, []);
  for (let n = 0; n < 20; n++) {
    observe(transformed({ failure: "timeout" }));
    observe(transformed({ failure: "cancelled" }));
  }
  observe(transformed());
  assertEquals(said, [
    "warning: The transformer failed 5 times in a row, the last time by timeout",
    "info: The transformer works again after 20 failures",
  ]);
});

Deno.test("a maildrop that opens slowly is said once for each user", () => {
  const { said, log } = notes();
  const { observe } = new Warnings({ log, mostRemembered: 2 });
  for (const user of ["a", "a", "b", "b"]) observe(login("1", { user, milliseconds: 2500.4 }));
  assertEquals(said, [
    "warning: The maildrop of a took 2500 ms to open; it holds 3 messages",
    "warning: The maildrop of b took 2500 ms to open; it holds 3 messages",
  ]);
  observe(login("1", { user: "c", milliseconds: 3000 }));
  observe(login("1", { user: "a", milliseconds: 3000 }));
  assertEquals(said.length, 4);
});

Deno.test("many addresses cost a bounded memory", () => {
  const { said, log } = notes();
  const { observe } = new Warnings({ log, mostRemembered: 100 });
  const before = Deno.memoryUsage().heapUsed;
  for (let n = 0; n < 300_000; n++) {
    observe(refused("1", { address: `10.${n >> 16}.${n >> 8 & 255}.${n & 255}` }));
  }
  assertEquals(said, []);
  assert(Deno.memoryUsage().heapUsed - before < 100_000_000);
});
