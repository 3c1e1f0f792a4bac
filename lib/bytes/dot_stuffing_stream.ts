/** Dot-stuffing and CRLF line ends for messages whose end is not known before it is there: a transformer's output. */

import { TERMINATOR } from "./dot_stuffing.ts";
import { MessageEncoder } from "./message_encoder.ts";

const NOTHING = new Uint8Array(0);
/** Most that is kept back; the encoder takes back 512 octets at least. */
const KEPT_MOST = 256;
/** Least that is kept back: the last CRLF, which must not leave without the terminator. */
const KEPT_LEAST = 2;

/** How a {@linkcode DotStuffingStream} begins. */
export interface DotStuffingOptions {
  /** What leaves before the message, together with its first octets, as it is: the answer's first line with its line end. */
  readonly prefix?: Uint8Array;
}

/**
 * `MessageEncoder` as a stream: CRLF line ends, dots stuffed, the missing last line end and the terminator added (RFC 1939, section 3).
 *
 * Some octets of the end, at most 256 and at most half of what there is (but a whole line end), are kept back until more comes: the
 * final CRLF `.` CRLF always leaves in one chunk with the last of the message, for there are mail programs that hang when it is split.
 * When the source fails, what was kept back and the terminator never leave.
 *
 * Nothing is stuffed before it is asked for, and chunks lie in memory that is used again: one is good until the next is asked for.
 * Disposing gives that memory back.
 *
 * @example
 * ```ts
 * using stuffing = new DotStuffingStream({ prefix: new TextEncoder().encode("+OK\r\n") });
 * for await (const chunk of program.stdout.pipeThrough(stuffing)) await connection.write(chunk);
 * ```
 */
export class DotStuffingStream extends TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>
  implements Disposable {
  readonly #encoder = MessageEncoder.take();
  /** Octets of the prefix that have not left. */
  #prefix: number;
  /** Copied from behind the chunk that left last; undefined while nothing has left since. */
  #kept: Uint8Array<ArrayBuffer> | undefined;
  #octets = 0;
  #chunks = 0;
  #ended = false;

  constructor({ prefix = NOTHING }: DotStuffingOptions = {}) {
    super(
      {
        transform: (octets, controller): void => this.#transform(octets, controller),
        flush: (controller): void => this.#flush(controller),
      },
      undefined,
      { highWaterMark: 0 },
    );
    this.#encoder.append(prefix);
    this.#prefix = prefix.length;
  }

  /** Content octets so far, dot-stuffing undone, line ends counted as CRLF; prefix and terminator do not count. */
  get octets(): number {
    return this.#octets;
  }

  /** How many chunks were made ready so far: what came may all be kept back. */
  get chunks(): number {
    return this.#chunks;
  }

  /** Whether the latest chunk ends the message. */
  get ended(): boolean {
    return this.#ended;
  }

  [Symbol.dispose](): void {
    this.#encoder[Symbol.dispose]();
  }

  #transform(octets: Uint8Array, controller: Controller): void {
    const encoder = this.#encoder;
    for (let at = 0; at < octets.length;) {
      this.#recycle();
      const input = encoder.input;
      const part = octets.subarray(at, at + input.length);
      input.set(part);
      encoder.encode(part.length);
      at += part.length;
      this.#octets = encoder.octets;
      const ready = this.#ready();
      // What comes before the last of several is not asked for one by one.
      if (ready.length > 0) this.#enqueue(controller, at < octets.length ? ready.slice() : ready);
    }
  }

  /** The last chunk is a copy: the one before it may be in use. */
  #flush(controller: Controller): void {
    const rest = this.#kept ?? this.#encoder.pending();
    const ending = this.#encoder.ending();
    const last = new Uint8Array(rest.length + ending.length);
    last.set(rest);
    last.set(ending, rest.length);
    this.#octets += ending.length - TERMINATOR.length;
    this.#ended = true;
    this.#enqueue(controller, last);
  }

  #enqueue(controller: Controller, chunk: Uint8Array<ArrayBuffer>): void {
    this.#chunks++;
    controller.enqueue(chunk);
  }

  /** What may leave, of which what is kept back is copied away. */
  #ready(): Uint8Array<ArrayBuffer> {
    const pending = this.#encoder.pending();
    const front = pending.length - keptBack(pending.length - this.#prefix);
    if (front === 0) return NOTHING;
    this.#kept = pending.slice(front);
    return pending.subarray(0, front);
  }

  /** Uses the memory of a chunk that left again, beginning with what was kept back. */
  #recycle(): void {
    if (this.#kept === undefined) return;
    this.#encoder.drained();
    this.#encoder.append(this.#kept);
    this.#kept = undefined;
    this.#prefix = 0;
  }
}

type Controller = TransformStreamDefaultController<Uint8Array<ArrayBuffer>>;

/** How many of the last octets wait for more: of little at most half, but always a whole line end. */
function keptBack(octets: number): number {
  return Math.min(octets, Math.max(KEPT_LEAST, Math.min(KEPT_MOST, octets >> 1)));
}
