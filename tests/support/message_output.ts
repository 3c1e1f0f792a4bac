/** An output of given pieces, as a transformer gives one. */

import type { MessageOutput } from "../../lib/contracts/transformer.ts";

/**
 * Gives each piece by itself, when it is asked for.
 *
 * @param how.fails what it ends with instead of its end
 * @param how.cancelled told of a reader that leaves, with its reason
 */
export function outputOf(
  pieces: Iterable<Uint8Array>,
  how: { readonly fails?: Error; readonly cancelled?: (reason: unknown) => void } = {},
): MessageOutput {
  const left = pieces[Symbol.iterator]();
  return {
    async read(into): Promise<Uint8Array<ArrayBuffer>> {
      // The memory that was given is gone, as with a real read.
      const memory = new Uint8Array(into.buffer.transfer());
      for (let next; !(next = left.next()).done;) {
        if (next.value.length > memory.length) return next.value.slice();
        if (next.value.length === 0) continue;
        memory.set(next.value);
        return memory.subarray(0, next.value.length);
      }
      if (how.fails !== undefined) throw how.fails;
      return await Promise.resolve(memory.subarray(0, 0));
    },
    cancel(reason): void {
      how.cancelled?.(reason);
    },
  };
}
