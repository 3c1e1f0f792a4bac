/** Lets threads start programs one after the other: docs/decisions/0044-the-file-as-input.md says what they would inherit otherwise. */

/** Nobody starts a program. */
const FREE = 0;

/** One thread's view of a lock that all threads share. */
export class SpawnLock {
  /** {@linkcode FREE}, or the number of the thread that has the lock, plus one. */
  readonly #holder: Int32Array;
  readonly #own: number;

  /**
   * @param memory from {@linkcode spawnLockMemory}
   * @param thread this one's number from 0; no other thread has it
   */
  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#holder = new Int32Array(memory);
    this.#own = thread + 1;
  }

  /** Does something while no other thread is at it; stops the thread until then, which takes as long as a program's start. */
  during<T>(work: () => T): T {
    this.#take();
    try {
      return work();
    } finally {
      this.freeThread();
    }
  }

  /** Frees the lock if this thread has it; for another thread, too, when this one is gone. */
  freeThread(): void {
    Atomics.compareExchange(this.#holder, 0, this.#own, FREE);
    // All of them: one that was woken alone might be terminated before it takes the lock.
    Atomics.notify(this.#holder, 0);
  }

  #take(): void {
    for (;;) {
      const holder = Atomics.compareExchange(this.#holder, 0, FREE, this.#own);
      if (holder === FREE) return;
      Atomics.wait(this.#holder, 0, holder);
    }
  }
}

/** Makes the memory of one lock. */
export function spawnLockMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}
