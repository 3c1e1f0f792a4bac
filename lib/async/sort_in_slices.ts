/** Sorts long lists without holding others up. */

import type { YieldingTask } from "./yielder.ts";

/** Numbers that are sorted at once: less than a millisecond's work. */
const RUN = 1024;

/**
 * Sorts numbers by a comparison, as `Array.prototype.sort` does (stable), and lets others run in between.
 *
 * @param numbers are used up: the result may be in the same memory
 */
export async function sortInSlices(
  numbers: Uint32Array<ArrayBuffer>,
  compare: (a: number, b: number) => number,
  task: YieldingTask,
): Promise<Uint32Array<ArrayBuffer>> {
  const { length } = numbers;
  for (let start = 0; start < length; start += RUN) {
    numbers.subarray(start, start + RUN).sort(compare);
    if (task.due()) await task.pause();
  }
  if (length <= RUN) return numbers;
  let from = numbers;
  let into = new Uint32Array(length);
  for (let width = RUN; width < length; width *= 2) {
    for (let start = 0; start < length; start += 2 * width) {
      const middle = Math.min(start + width, length);
      await merge(from, into, [start, middle, Math.min(middle + width, length)], compare, task);
    }
    [from, into] = [into, from];
  }
  return from;
}

/** Merges two neighbouring sorted runs. */
async function merge(
  from: Uint32Array,
  into: Uint32Array,
  [start, middle, end]: readonly [number, number, number],
  compare: (a: number, b: number) => number,
  task: YieldingTask,
): Promise<void> {
  for (let at = start, left = start, right = middle; at < end; at++) {
    const isLeft = left < middle && (right >= end || compare(from[left]!, from[right]!) <= 0);
    into[at] = from[isLeft ? left++ : right++]!;
    if (at % RUN === 0 && task.due()) await task.pause();
  }
}
