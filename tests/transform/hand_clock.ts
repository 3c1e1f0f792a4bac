/** A clock whose hands a test turns. */

import type { Clock } from "../../lib/transform/clock.ts";

/** Stands still until it is told to go on. */
export class HandClock implements Clock {
  #now = 0;
  readonly #calls = new Set<{ readonly at: number; readonly action: () => void }>();

  /** How many callbacks are outstanding. */
  get pending(): number {
    return this.#calls.size;
  }

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, action: () => void): () => void {
    const call = { at: this.#now + milliseconds, action };
    this.#calls.add(call);
    return () => this.#calls.delete(call);
  }

  /** Lets time pass, calling back in order. */
  pass(milliseconds: number): void {
    const until = this.#now + milliseconds;
    while (true) {
      const [next] = [...this.#calls].filter((call) => call.at <= until).sort((a, b) =>
        a.at - b.at
      );
      if (next === undefined) break;
      this.#calls.delete(next);
      this.#now = next.at;
      next.action();
    }
    this.#now = until;
  }
}
