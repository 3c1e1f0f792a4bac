// Sorting with pauses gives what sorting without them gives.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { sortInSlices } from "../../lib/async/sort_in_slices.ts";
import type { YieldingTask } from "../../lib/async/yielder.ts";

/** Pauses whenever it is asked, and counts. */
class EagerTask implements YieldingTask {
  pauses = 0;

  due(): boolean {
    return true;
  }

  pause(): Promise<void> {
    this.pauses++;
    return Promise.resolve();
  }
}

Deno.test("sortInSlices sorts as Array.sort does, equal ones in the order that they had", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 6000 }),
      fc.integer({ min: 1, max: 9000 }),
      async (length, factor) => {
        const keys = Array.from({ length }, (_, index) => (index * 7919 * factor) % 997);
        const compare = (a: number, b: number): number => keys[a]! - keys[b]!;
        const expected = [...keys.keys()].sort(compare);
        const sorted = await sortInSlices(Uint32Array.from(keys.keys()), compare, new EagerTask());
        assertEquals([...sorted], expected);
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("sortInSlices pauses every thousand steps", async () => {
  const task = new EagerTask();
  await sortInSlices(
    Uint32Array.from({ length: 100_000 }, (_, n) => -n >>> 0),
    (a, b) => a - b,
    task,
  );
  assert(task.pauses > 700, `${task.pauses} pauses`);
});
