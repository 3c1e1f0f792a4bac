/** Lets other sessions run while one works on a big mailbox. */

import { setImmediate } from "node:timers";

/** Longest stretch without a pause, in milliseconds: others wait no longer than a slow disk would make them. */
const STRETCH = 5;
/** Steps between two looks at the clock. */
const STEPS = 32;

/** Counts the steps of long work and says when to pause. `setImmediate`, since a timer of 0 takes 2 ms here. */
export class Breather {
  readonly #signal: AbortSignal | undefined;
  #steps = 0;
  #until = performance.now() + STRETCH;

  /** @param signal ends the work at its next pause */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Counts a step; true when it is time to await {@linkcode pause}. */
  due(): boolean {
    return ++this.#steps % STEPS === 0 && performance.now() > this.#until;
  }

  /** @throws the signal's reason, when the work is no longer wanted */
  async pause(): Promise<void> {
    this.#signal?.throwIfAborted();
    await new Promise<void>((resolve) => void setImmediate(resolve));
    this.#signal?.throwIfAborted();
    this.#until = performance.now() + STRETCH;
  }
}
