// Sends many through a semaphore.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Semaphore } from "../../lib/async/semaphore.ts";

const never = new AbortController().signal;

Deno.test("Semaphore lets the limit through, and the rest in the order in which they came", async () => {
  const semaphore = new Semaphore(2);
  const [first, second] = [await semaphore.enter(never), await semaphore.enter(never)];
  const order: string[] = [];
  const waiting = ["a", "b", "c"].map((name) =>
    semaphore.enter(never).then((turn) => {
      order.push(name);
      return turn;
    })
  );
  assertEquals([semaphore.running, semaphore.waiting], [2, 3]);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await waiting[0];
  assertEquals([semaphore.running, semaphore.waiting, order], [2, 2, ["a"]]);
  second[Symbol.dispose]();
  (await waiting[0])?.[Symbol.dispose]();
  (await waiting[1])?.[Symbol.dispose]();
  (await waiting[2])?.[Symbol.dispose]();
  assertEquals([semaphore.running, semaphore.waiting, order], [0, 0, ["a", "b", "c"]]);
});

Deno.test("Semaphore's limit can grow and shrink while others wait", async () => {
  const semaphore = new Semaphore(1);
  const turns = [semaphore.enter(never), semaphore.enter(never), semaphore.enter(never)];
  semaphore.limit = 3;
  const all = await Promise.all(turns);
  semaphore.limit = 1;
  const late = semaphore.enter(never);
  all[0]?.[Symbol.dispose]();
  all[1]?.[Symbol.dispose]();
  assertEquals([semaphore.running, semaphore.waiting], [1, 1]);
  all[2]?.[Symbol.dispose]();
  (await late)[Symbol.dispose]();
  assertEquals(semaphore.running, 0);
});

Deno.test("Semaphore stops waiting with the client's signal, and lets the next one through", async () => {
  const semaphore = new Semaphore(1);
  const turn = await semaphore.enter(never);
  const client = new AbortController();
  const gone = semaphore.enter(client.signal);
  const next = semaphore.enter(never);
  client.abort(new Error("gone"));
  await assertRejects(() => gone, Error, "gone");
  await assertRejects(() => semaphore.enter(client.signal), Error, "gone");
  turn[Symbol.dispose]();
  (await next)[Symbol.dispose]();
  assertEquals([semaphore.running, semaphore.waiting], [0, 0]);
});

Deno.test("Semaphore refuses a limit that is no whole number from 1", () => {
  for (const limit of [0, -1, 1.5, NaN]) {
    assertThrows(() => new Semaphore(limit), RangeError, "whole number from 1");
  }
  new Semaphore(Infinity);
});

Deno.test("Semaphore never has more through than its limit, and none is lost", async () => {
  const step = fc.constantFrom("enter", "leave", "abort", "limit");
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps: string[]) => {
    const semaphore = new Semaphore(2);
    const turns: Disposable[] = [];
    const clients: AbortController[] = [];
    for (const [index, action] of steps.entries()) {
      if (action === "enter") {
        const client = new AbortController();
        clients.push(client);
        semaphore.enter(client.signal).then((turn) => turns.push(turn), () => {});
      } else if (action === "leave") turns.shift()?.[Symbol.dispose]();
      else if (action === "abort") clients.shift()?.abort();
      else semaphore.limit = 1 + index % 4;
      const before = semaphore.running;
      await Promise.resolve();
      if (semaphore.waiting > 0) assertEquals(semaphore.running >= semaphore.limit, true);
      assertEquals(semaphore.running, before);
    }
    while (semaphore.running > 0) {
      await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
      turns.shift()?.[Symbol.dispose]();
    }
    assertEquals(semaphore.waiting, 0);
  }));
});
