/** The places that `max_connections` gives, shared by threads: counters that all of them can reach. */

import type { ConnectionSlots } from "../contracts/connection_slots.ts";

/** Counters before those of the threads: the limit, what is taken in all, and how often something changed. */
const LIMIT = 0;
const TAKEN = 1;
const CHANGES = 2;
const FIRST_THREAD = 3;

/** One thread's view of the places of all threads. */
export class SharedConnectionSlots implements ConnectionSlots {
  readonly #counters: Int32Array;
  readonly #own: number;

  /**
   * @param memory from {@linkcode sharedSlotMemory}
   * @param thread which of the threads' counters is this one's
   */
  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#counters = new Int32Array(memory);
    this.#own = FIRST_THREAD + thread;
  }

  async available(): Promise<void> {
    for (;;) {
      // Read before the count, so that a change in between is not slept through.
      const changes = Atomics.load(this.#counters, CHANGES);
      if (!this.#full) return;
      await this.#change(changes);
    }
  }

  async take(): Promise<void> {
    for (;;) {
      await this.available();
      const taken = Atomics.load(this.#counters, TAKEN);
      if (taken >= Atomics.load(this.#counters, LIMIT)) continue;
      // Another thread may have taken the same place since.
      if (Atomics.compareExchange(this.#counters, TAKEN, taken, taken + 1) !== taken) continue;
      Atomics.add(this.#counters, this.#own, 1);
      return;
    }
  }

  free(): void {
    Atomics.sub(this.#counters, this.#own, 1);
    Atomics.sub(this.#counters, TAKEN, 1);
    this.#changed();
  }

  /** Sets how many places there are. */
  setLimit(limit: number): void {
    Atomics.store(this.#counters, LIMIT, limit);
    this.#changed();
  }

  /** How many places are taken in all. */
  get taken(): number {
    return Atomics.load(this.#counters, TAKEN);
  }

  /** Gives back all places of a thread that is gone. */
  freeThread(): void {
    Atomics.sub(this.#counters, TAKEN, Atomics.exchange(this.#counters, this.#own, 0));
    this.#changed();
  }

  get #full(): boolean {
    return Atomics.load(this.#counters, TAKEN) >= Atomics.load(this.#counters, LIMIT);
  }

  #changed(): void {
    Atomics.add(this.#counters, CHANGES, 1);
    Atomics.notify(this.#counters, CHANGES);
  }

  async #change(seen: number): Promise<void> {
    const wait = Atomics.waitAsync(this.#counters, CHANGES, seen);
    if (wait.async) await wait.value;
  }
}

/**
 * Makes the counters of so many threads.
 *
 * @param limit how many places there are
 * @param threads how many threads may ever be counted at once
 */
export function sharedSlotMemory(limit: number, threads: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * (FIRST_THREAD + threads));
  new Int32Array(memory)[LIMIT] = limit;
  return memory;
}
