/** TOP's part of a message as a stream. */

import { TopLimit } from "./top_limit.ts";

/**
 * Lets the header and a number of lines of the body through ({@linkcode TopLimit}), then ends and cancels its
 * source.
 *
 * @example
 * ```ts
 * const top = message.readable.pipeThrough(new TopLimitStream(20));
 * ```
 */
export class TopLimitStream
  extends TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  /** @param lines how many lines of the body; 0 is header and empty line only */
  constructor(lines: number) {
    const limit = new TopLimit(lines);
    super({
      transform(octets, controller): void {
        const belonging = limit.take(octets);
        if (belonging > 0) controller.enqueue(octets.subarray(0, belonging));
        if (limit.done) controller.terminate();
      },
    });
  }
}
