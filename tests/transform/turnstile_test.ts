// Sends many through a turnstile.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Turnstile } from "../../lib/transform/turnstile.ts";

const never = new AbortController().signal;

Deno.test("Turnstile lets the limit through, and the rest in the order in which they came", async () => {
  const turnstile = new Turnstile(2);
  const [first, second] = [await turnstile.enter(never), await turnstile.enter(never)];
  const order: string[] = [];
  const waiting = ["a", "b", "c"].map((name) =>
    turnstile.enter(never).then((turn) => {
      order.push(name);
      return turn;
    })
  );
  assertEquals([turnstile.running, turnstile.waiting], [2, 3]);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await waiting[0];
  assertEquals([turnstile.running, turnstile.waiting, order], [2, 2, ["a"]]);
  second[Symbol.dispose]();
  (await waiting[0])?.[Symbol.dispose]();
  (await waiting[1])?.[Symbol.dispose]();
  (await waiting[2])?.[Symbol.dispose]();
  assertEquals([turnstile.running, turnstile.waiting, order], [0, 0, ["a", "b", "c"]]);
});

Deno.test("Turnstile's limit can grow and shrink while others wait", async () => {
  const turnstile = new Turnstile(1);
  const turns = [turnstile.enter(never), turnstile.enter(never), turnstile.enter(never)];
  turnstile.limit = 3;
  const all = await Promise.all(turns);
  turnstile.limit = 1;
  const late = turnstile.enter(never);
  all[0]?.[Symbol.dispose]();
  all[1]?.[Symbol.dispose]();
  assertEquals([turnstile.running, turnstile.waiting], [1, 1]);
  all[2]?.[Symbol.dispose]();
  (await late)[Symbol.dispose]();
  assertEquals(turnstile.running, 0);
});

Deno.test("Turnstile stops waiting with the client's signal, and lets the next one through", async () => {
  const turnstile = new Turnstile(1);
  const turn = await turnstile.enter(never);
  const client = new AbortController();
  const gone = turnstile.enter(client.signal);
  const next = turnstile.enter(never);
  client.abort(new Error("gone"));
  await assertRejects(() => gone, Error, "gone");
  await assertRejects(() => turnstile.enter(client.signal), Error, "gone");
  turn[Symbol.dispose]();
  (await next)[Symbol.dispose]();
  assertEquals([turnstile.running, turnstile.waiting], [0, 0]);
});

Deno.test("Turnstile refuses a limit that is no whole number from 1", () => {
  for (const limit of [0, -1, 1.5, NaN]) {
    assertThrows(() => new Turnstile(limit), RangeError, "whole number from 1");
  }
  new Turnstile(Infinity);
});

Deno.test("Turnstile never has more through than its limit, and none is lost", async () => {
  const step = fc.constantFrom("enter", "leave", "abort", "limit");
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps: string[]) => {
    const turnstile = new Turnstile(2);
    const turns: Disposable[] = [];
    const clients: AbortController[] = [];
    for (const [index, action] of steps.entries()) {
      if (action === "enter") {
        const client = new AbortController();
        clients.push(client);
        turnstile.enter(client.signal).then((turn) => turns.push(turn), () => {});
      } else if (action === "leave") turns.shift()?.[Symbol.dispose]();
      else if (action === "abort") clients.shift()?.abort();
      else turnstile.limit = 1 + index % 4;
      const before = turnstile.running;
      await Promise.resolve();
      if (turnstile.waiting > 0) assertEquals(turnstile.running >= turnstile.limit, true);
      assertEquals(turnstile.running, before);
    }
    while (turnstile.running > 0) {
      await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
      turns.shift()?.[Symbol.dispose]();
    }
    assertEquals(turnstile.waiting, 0);
  }));
});
