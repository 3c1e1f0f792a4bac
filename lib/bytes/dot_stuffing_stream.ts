/** Dot-stuffing and CRLF line ends for messages that come as a stream: a transformer's output. */

import { stuff, stuffedDots } from "./kernel/kernel.wasm";
import { TERMINATOR } from "./dot_stuffing.ts";
import { INPUT, INPUT_OCTETS, INPUT_SIZE, kernelView, SCRATCH } from "./kernel_memory.ts";

const LF = 0x0a;
const LINE_END = Uint8Array.of(0x0d, LF);
const NOTHING = new Uint8Array(0);
/** Most that is kept back. */
const KEPT_MOST = 256;
/** Least that is kept back: the last CRLF, which must not leave without the terminator. */
const KEPT_LEAST = 2;

/** How a {@linkcode DotStuffingStream} begins and ends. */
export interface DotStuffingOptions {
  /**
   * Whether the terminator follows the message.
   *
   * @default {true}
   */
  readonly terminator?: boolean;
  /**
   * What leaves before the message, together with its first octets, as it is: the answer's first line with its
   * line end.
   */
  readonly prefix?: Uint8Array;
}

/**
 * Does what `MessageEncoder` does, to a stream: CRLF line ends, dots stuffed, the missing last line end and the
 * terminator added (RFC 1939, section 3).
 *
 * Some octets of the end, at most 256 and at most half of what there is (but a whole line end), are kept back
 * until more comes: the final CRLF `.` CRLF always leaves in one chunk with the last of the message, for there
 * are mail programs that hang when it is split.
 *
 * When the source fails, what was kept back and the terminator never leave.
 *
 * @example
 * ```ts
 * const prefix = new TextEncoder().encode("+OK\r\n");
 * const wire = program.stdout.pipeThrough(new DotStuffingStream({ prefix }));
 * ```
 */
export class DotStuffingStream extends TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  #previous = LF;
  #octets = 0;
  #kept: Uint8Array<ArrayBuffer> = NOTHING;
  #prefix: Uint8Array;
  readonly #terminator: boolean;

  constructor({ terminator = true, prefix = NOTHING }: DotStuffingOptions = {}) {
    super({
      transform: (octets, controller): void => {
        for (let start = 0; start < octets.length; start += INPUT_SIZE) {
          const ready = this.#stuff(octets.subarray(start, start + INPUT_SIZE));
          if (ready.length > 0) controller.enqueue(ready);
        }
      },
      flush: (controller): void => {
        const end = this.#end();
        if (end.length > 0) controller.enqueue(end);
      },
    });
    this.#prefix = prefix;
    this.#terminator = terminator;
  }

  /**
   * Content octets so far, dot-stuffing undone, line ends counted as CRLF; prefix and terminator do not count.
   */
  get octets(): number {
    return this.#octets;
  }

  /** Returns what may leave now that `octets` (at most an input area full) came. */
  #stuff(octets: Uint8Array): Uint8Array<ArrayBuffer> {
    INPUT_OCTETS.set(octets);
    const length = stuff(INPUT, octets.length, this.#previous, SCRATCH);
    this.#previous = octets[octets.length - 1] as number;
    this.#octets += length - stuffedDots();

    const total = this.#kept.length + length;
    const back = Math.min(total, Math.max(KEPT_LEAST, Math.min(KEPT_MOST, total >> 1)));
    const fresh = kernelView(SCRATCH, length);
    if (back === total) {
      this.#kept = joined(this.#kept, fresh);
      return NOTHING;
    }
    const all = joined(this.#prefix, this.#kept, fresh);
    this.#prefix = NOTHING;
    this.#kept = all.slice(all.length - back);
    return all.subarray(0, all.length - back);
  }

  /** Returns everything that is left when the message has ended. */
  #end(): Uint8Array<ArrayBuffer> {
    const ended = this.#octets > 0 && this.#previous === LF;
    const lineEnd = ended ? NOTHING : LINE_END;
    this.#octets += lineEnd.length;
    const terminator = this.#terminator ? TERMINATOR : NOTHING;
    return joined(this.#prefix, this.#kept, lineEnd, terminator);
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let length = 0;
  for (const part of parts) {
    whole.set(part, length);
    length += part.length;
  }
  return whole;
}
