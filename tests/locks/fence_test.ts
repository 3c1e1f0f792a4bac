// The fence in front of what QUIT removes: how long a claim is believed, and by which clocks.

import { assertEquals, assertRejects } from "@std/assert";
import { raiseFence } from "../../lib/locks/fence.ts";
import { TestClock } from "../support/test_clock.ts";

Deno.test("a fence stands for as long as the claim says, counted from before it was asked", async () => {
  const clock = new TestClock();
  const claim = (): Promise<number> => {
    clock.advance(2000);
    return Promise.resolve(8000);
  };
  const mayRemove = (await raiseFence({ claim }, clock))!;
  clock.advance(500);
  assertEquals(mayRemove(), true);
  clock.advance(5400);
  clock.set(0);
  // The answer took 2 s, during which the database counted, too.
  assertEquals(await answers(mayRemove, clock, 200), false);
});

/** What it says after a time, without room for another claim. */
function answers(mayRemove: () => boolean, clock: TestClock, milliseconds: number): boolean {
  clock.advance(milliseconds);
  return mayRemove();
}

Deno.test("a fence falls when the machine stood still, by whichever clock went on", async () => {
  for (const standing of ["monotonic", "neither"] as const) {
    const clock = new TestClock();
    const mayRemove = (await raiseFence({ claim: () => Promise.resolve(8000) }, clock))!;
    if (standing === "monotonic") clock.set(clock.wall() + 15_000);
    else clock.advance(15_000);
    assertEquals(mayRemove(), false, standing);
  }
});

Deno.test("a fence claims again during long work, and falls when the lock is lost meanwhile", async () => {
  const clock = new TestClock();
  let held = 8000;
  let claims = 0;
  const claim = (): Promise<number> => {
    claims++;
    return Promise.resolve(held);
  };
  const mayRemove = (await raiseFence({ claim }, clock))!;
  for (let second = 0; second < 30; second++) {
    clock.advance(1000);
    assertEquals(mayRemove(), true, `${second}`);
    await Promise.resolve();
    await Promise.resolve();
  }
  assertEquals(claims, 11);
  held = 0;
  clock.advance(3000);
  assertEquals(mayRemove(), true);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(mayRemove(), false);
});

Deno.test("a fence is not raised where the lock is lost, and is for good where nobody can take it", async () => {
  const clock = new TestClock();
  assertEquals(await raiseFence({ claim: () => Promise.resolve(0) }, clock), undefined);
  await assertRejects(() => raiseFence({ claim: () => Promise.reject(new Error("away")) }, clock));
  const mayRemove = (await raiseFence({ claim: () => Promise.resolve(Infinity) }, clock))!;
  clock.advance(1e9);
  assertEquals(mayRemove(), true);
});
