/** Makes one message at a time ready for the socket, without a copy. */

import { TERMINATOR } from "./dot_stuffing.ts";
import { stuff, stuffedDots } from "./kernel/kernel.wasm";
import {
  INPUT,
  INPUT_OCTETS,
  INPUT_SIZE,
  kernelView,
  OUTPUT_SIZE,
  SCRATCH,
  slotAddress,
  SLOTS,
} from "./kernel_memory.ts";

const LF = 0x0a;
const LINE_END_AND_TERMINATOR = Uint8Array.of(0x0d, LF, ...TERMINATOR);
/** Octets that {@linkcode MessageEncoder.terminate} may need. */
const END_SIZE = LINE_END_AND_TERMINATOR.length;
/** Longest line that {@linkcode MessageEncoder.append} is meant for (RFC 1939, section 3). */
const FIRST_LINE_SIZE = 512;
/** Input at a time where no slot is free: what a reader that stalls may cost. */
const SMALL_INPUT_SIZE = 32 * 1024;

/**
 * Where a message becomes what the socket takes: line ends as CRLF, dots stuffed (RFC 1939, section 3), the
 * first line in front and the terminator behind. Stored octets are read straight into the kernel's memory, and
 * the socket is written straight from it.
 *
 * There are 16 places in that memory. When they are taken, an encoder with a small buffer of its own does the
 * same with one copy.
 *
 * Between asking for {@linkcode input} and {@linkcode encode}, and between {@linkcode space} and {@linkcode
 * advance}, nothing may be awaited: all encoders share the input. What {@linkcode pending} returns must be
 * written, or its write have failed, before the next call of anything but {@linkcode octets}, and before
 * disposing: the place is given to another user's message at once.
 *
 * @example
 * ```ts
 * using encoder = MessageEncoder.take();
 * encoder.append(new TextEncoder().encode("+OK 120 octets\r\n"));
 * for (let read; (read = message.readSync(encoder.input)) !== null;) {
 *   encoder.encode(read);
 *   await writeAll(connection, encoder.pending());
 *   encoder.drained();
 * }
 * encoder.terminate();
 * await writeAll(connection, encoder.pending());
 * ```
 */
export class MessageEncoder implements Disposable {
  /** Last returned, first taken, so that few pages are ever touched when few messages are on their way. */
  static readonly #free = Array.from({ length: SLOTS }, (_, index) => SLOTS - 1 - index);

  #slot: number | undefined;
  /** The output area: kernel memory, or a buffer of its own that grows to what a small input needs. */
  #output: Uint8Array<ArrayBuffer>;
  #length = 0;
  readonly #inputSize: number;
  #previous = LF;
  #octets = 0;
  #ended = false;

  private constructor(slot: number | undefined) {
    this.#slot = slot;
    this.#inputSize = slot === undefined ? SMALL_INPUT_SIZE : INPUT_SIZE;
    this.#output = slot === undefined
      ? new Uint8Array(0)
      : kernelView(slotAddress(slot), OUTPUT_SIZE);
  }

  /** Takes an encoder; disposing gives its place back. */
  static take(): MessageEncoder {
    return new MessageEncoder(MessageEncoder.#free.pop());
  }

  /**
   * Content octets of the message so far, dot-stuffing undone, line ends counted as CRLF; the terminator does
   * not count.
   */
  get octets(): number {
    return this.#octets;
  }

  /** Adds octets as they are, in front of the message: the answer's first line, at most 512 octets. */
  append(octets: Uint8Array): void {
    this.#reserve(octets.length);
    this.#output.set(octets, this.#length);
    this.#length += octets.length;
  }

  /**
   * Where the next stored octets are to be put; its length is how many may be. It is all of the input when
   * nothing is pending but a first line; where much is pending it is less, perhaps empty.
   */
  get input(): Uint8Array<ArrayBuffer> {
    const room = (this.#capacity - END_SIZE - this.#length) >> 1;
    return INPUT_OCTETS.subarray(0, Math.max(0, Math.min(this.#inputSize, room)));
  }

  /**
   * Adds the first `octets` of {@linkcode input} to the output, with CRLF line ends and stuffed dots.
   *
   * @throws {RangeError} when that is more than the input's length
   */
  encode(octets: number): void {
    mustFit(octets, this.input.length);
    if (octets === 0) return;
    this.#begin();
    const last = INPUT_OCTETS[octets - 1] as number;
    let stuffed: number;
    if (this.#slot !== undefined) {
      const to = slotAddress(this.#slot) + this.#length;
      stuffed = stuff(INPUT, octets, this.#previous, to);
    } else {
      stuffed = stuff(INPUT, octets, this.#previous, SCRATCH);
      this.#reserve(stuffed);
      this.#output.set(kernelView(SCRATCH, stuffed), this.#length);
    }
    this.#length += stuffed;
    this.#octets += stuffed - stuffedDots();
    this.#previous = last;
  }

  /**
   * Where the next octets of a message that is stored as it is sent are to be put (`StoredMessage.verbatim`);
   * its length is how many may be.
   */
  space(): Uint8Array<ArrayBuffer> {
    const room = Math.max(0, this.#capacity - END_SIZE - this.#length);
    const size = Math.min(this.#inputSize, room);
    this.#reserve(size);
    return this.#output.subarray(this.#length, this.#length + size);
  }

  /**
   * Adds the first `octets` of {@linkcode space} to the output as they are.
   *
   * @throws {RangeError} when that is more than the space's length
   */
  advance(octets: number): void {
    mustFit(octets, Math.min(this.#inputSize, this.#output.length - END_SIZE - this.#length));
    if (octets === 0) return;
    this.#begin();
    this.#length += octets;
    this.#octets += octets;
    this.#previous = this.#output[this.#length - 1] as number;
  }

  /**
   * Adds the missing last line end, if it is missing, and the terminator. An empty message is one empty line:
   * some mail programs break on none. What comes afterwards is the next message.
   */
  terminate(): void {
    this.#begin();
    const ending = this.ending();
    this.append(ending);
    this.#octets += ending.length - TERMINATOR.length;
    this.#previous = LF;
    this.#ended = true;
  }

  /** What is missing of the message's end: the terminator, after a line end where the last line has none. */
  ending(): Uint8Array<ArrayBuffer> {
    const ended = this.#octets > 0 && this.#previous === LF;
    return ended ? TERMINATOR : LINE_END_AND_TERMINATOR;
  }

  /** What is ready for the socket. */
  pending(): Uint8Array<ArrayBuffer> {
    return this.#output.subarray(0, this.#length);
  }

  /** Says that all of {@linkcode pending} was sent, so that its memory may be used again. */
  drained(): void {
    this.#length = 0;
  }

  /** Gives the place back; nothing of it may be used afterwards. */
  [Symbol.dispose](): void {
    if (this.#slot !== undefined) MessageEncoder.#free.push(this.#slot);
    this.#slot = undefined;
    this.#output = new Uint8Array(0);
    this.#length = 0;
  }

  get #capacity(): number {
    return FIRST_LINE_SIZE + 2 * this.#inputSize + 8;
  }

  /** The first octets after a message's end begin the next one. */
  #begin(): void {
    if (!this.#ended) return;
    this.#ended = false;
    this.#octets = 0;
  }

  /** Sees to it that a buffer of its own has room for so many more octets and the message's end. */
  #reserve(octets: number): void {
    const wanted = this.#length + octets + END_SIZE;
    if (wanted <= this.#output.length) return;
    mustFit(wanted - END_SIZE, this.#slot === undefined ? this.#capacity : this.#output.length);
    if (this.#slot !== undefined) return;
    // A little more, since the next input will not grow by exactly as much.
    const grown = new Uint8Array(Math.min(wanted + (wanted >> 4), this.#capacity));
    grown.set(this.pending());
    this.#output = grown;
  }
}

function mustFit(octets: number, room: number): void {
  if (octets >= 0 && octets <= room) return;
  throw new RangeError(
    `A message encoder was given ${octets} octets where ${room} fit: send what is pending first.`,
  );
}
