/** A program's output on its way from the thread that runs the program to the one that serves the client: a few chunks of shared memory. */

import { delay } from "../async/delay.ts";

/** Octets of a chunk: what a pipe holds on Linux. */
export const CHUNK = 64 * 1024;
/** Chunks that are read ahead. */
const CHUNKS = 4;

/** Words at the memory's beginning: chunks written so far and how the output ended, chunks read so far, and each chunk's length. */
const WRITTEN = 0;
const READ = 1;
const LENGTHS = 2;
const HEADER = 64;

/** How the output ended: the lowest bits of the word that the reader waits for, so that no end is slept through. */
const END_BITS = 2;
const END = 0b11;
const OPEN = 0;
const WHOLE = 1;
const BROKEN = 2;
/** Counts begin anew behind this one. */
const MOST = 2 ** 28 - 1;

const OCTETS = HEADER + CHUNKS * CHUNK;

/** Makes the memory of one ring; it may serve one run after another. */
export function ringMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(OCTETS);
}

/** Whether something is the memory of a ring. */
export function isRingMemory(value: unknown): value is SharedArrayBuffer {
  return value instanceof SharedArrayBuffer && value.byteLength === OCTETS && !value.growable;
}

/** The end that writes. It believes nothing of what the other end has written: at worst it waits. */
export class RingWriter {
  readonly #counters: Int32Array;
  readonly #octets: Uint8Array;
  #written = 0;
  #stopped = false;

  /** @param memory from {@linkcode ringMemory}, as a {@linkcode RingReader} has begun it */
  constructor(memory: SharedArrayBuffer) {
    this.#counters = new Int32Array(memory, 0, HEADER / Int32Array.BYTES_PER_ELEMENT);
    this.#octets = new Uint8Array(memory, HEADER);
  }

  /** Whether everything that was written has been taken. */
  get isEmpty(): boolean {
    return this.#taken === this.#written;
  }

  /**
   * Waits until a chunk can be written, or {@linkcode RingWriter.stop} was called.
   *
   * @returns undefined where nothing need be waited for
   */
  room(): Promise<void> | undefined {
    return this.#isFull(this.#taken) ? this.#untilRoom() : undefined;
  }

  get #taken(): number {
    return Atomics.load(this.#counters, READ);
  }

  #isFull(taken: number): boolean {
    return !this.#stopped && ((this.#written - taken) & MOST) >= CHUNKS;
  }

  async #untilRoom(): Promise<void> {
    for (let taken = this.#taken; this.#isFull(taken); taken = this.#taken) {
      const wait = Atomics.waitAsync(this.#counters, READ, taken);
      // A reader that keeps changing its mind gets no more than its share of the thread.
      await (wait.async ? wait.value : delay(0));
    }
  }

  /** Writes a chunk, for which there is room. */
  write(octets: Uint8Array): void {
    if (this.#stopped) return;
    const chunk = this.#written % CHUNKS;
    this.#octets.set(octets, chunk * CHUNK);
    this.#counters[LENGTHS + chunk] = octets.length;
    this.#written = (this.#written + 1) & MOST;
    this.#tell(OPEN);
  }

  /** Says that nothing comes any more: all of it was written, or it will never be. */
  end(how: "whole" | "broken"): void {
    if (this.#stopped) return;
    this.#tell(how === "whole" ? WHOLE : BROKEN);
  }

  /** Ends the waiting for room, and writes nothing any more: another run may use the memory. */
  stop(): void {
    this.#stopped = true;
    Atomics.notify(this.#counters, READ);
  }

  #tell(end: number): void {
    Atomics.store(this.#counters, WRITTEN, (this.#written << END_BITS) | end);
    Atomics.notify(this.#counters, WRITTEN);
  }
}

/** The end that reads. */
export class RingReader {
  readonly #counters: Int32Array;
  readonly #octets: Uint8Array;
  #read = 0;
  /** Octets of the present chunk that were taken. */
  #taken = 0;

  /** @param memory from {@linkcode ringMemory}; nobody else uses it, and nobody has begun to write */
  constructor(memory: SharedArrayBuffer) {
    this.#counters = new Int32Array(memory, 0, HEADER / Int32Array.BYTES_PER_ELEMENT);
    this.#counters.fill(0);
    this.#octets = new Uint8Array(memory, HEADER);
  }

  /**
   * Waits for octets.
   *
   * @returns how many were put into `into`, or how the output ended when there are none
   */
  async read(into: Uint8Array): Promise<number | "whole" | "broken"> {
    for (;;) {
      const word = Atomics.load(this.#counters, WRITTEN);
      // What was written before the end is taken first.
      if (((word >> END_BITS) & MOST) !== this.#read) return this.#take(into);
      if ((word & END) !== OPEN) return (word & END) === WHOLE ? "whole" : "broken";
      const wait = Atomics.waitAsync(this.#counters, WRITTEN, word);
      if (wait.async) await wait.value;
    }
  }

  /** Ends the output from this end, when nobody writes any more. */
  break(): void {
    const word = Atomics.load(this.#counters, WRITTEN);
    if ((word & END) !== OPEN) return;
    Atomics.store(this.#counters, WRITTEN, word | BROKEN);
    Atomics.notify(this.#counters, WRITTEN);
  }

  #take(into: Uint8Array): number {
    const chunk = this.#read % CHUNKS;
    const length = this.#counters[LENGTHS + chunk]!;
    const start = chunk * CHUNK + this.#taken;
    const count = Math.min(into.length, length - this.#taken);
    into.set(this.#octets.subarray(start, start + count));
    this.#taken += count;
    if (this.#taken === length) {
      this.#taken = 0;
      this.#read = (this.#read + 1) & MOST;
      Atomics.store(this.#counters, READ, this.#read);
      Atomics.notify(this.#counters, READ);
    }
    return count;
  }
}
