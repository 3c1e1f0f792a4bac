/** Connection slots of one process. */

import type { ConnectionSlots } from "../contracts/connection_slots.ts";

/** Places counted in one process. */
export class LocalConnectionSlots implements ConnectionSlots {
  readonly #limit: () => number;
  #taken = 0;
  #waiting: (() => void)[] = [];

  /** @param limit how many places there are, asked each time; 0 is no limit */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  async available(): Promise<void> {
    while (this.#full) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async take(): Promise<void> {
    // Looked at and taken in one go: several may be woken by one place.
    while (this.#full) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#taken++;
  }

  free(): void {
    this.#taken--;
    this.changed();
  }

  /** Says that the limit may have changed. */
  changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  get #full(): boolean {
    const limit = this.#limit();
    return limit > 0 && this.#taken >= limit;
  }
}
