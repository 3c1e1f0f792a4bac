// Numbers of session workers: never twice, and at hand while the state cannot be written.

import { assertEquals, assertRejects } from "@std/assert";
import { MemoryState } from "../../lib/state/memory/memory_state.ts";
import { SessionNumbers } from "../../lib/workers/session_numbers.ts";

Deno.test("session numbers come from what was reserved while the state cannot be written", async () => {
  const { installation } = new MemoryState();
  const reserve = installation.reserveSessions.bind(installation);
  const numbers = await SessionNumbers.open(installation);
  installation.reserveSessions = () => Promise.reject(new Error("The disk is full"));
  const taken: number[] = [];
  for (let n = 0; n < 1024; n++) taken.push(await numbers.take());
  assertEquals(taken, Array.from({ length: 1024 }, (_, n) => n + 1));
  await assertRejects(() => numbers.take(), Error, "The disk is full");
  installation.reserveSessions = reserve;
  assertEquals(await numbers.take(), 1025);
});

Deno.test("session numbers are never given twice, asked for one by one or all at once, over restarts", async () => {
  const { installation } = new MemoryState();
  const all: number[] = [];
  for (let start = 0; start < 3; start++) {
    const numbers = await SessionNumbers.open(installation);
    for (let n = 0; n < 700; n++) all.push(await numbers.take());
    all.push(...await Promise.all(Array.from({ length: 1500 }, () => numbers.take())));
  }
  assertEquals(new Set(all).size, all.length);
});
