/** The places that `max_connections` gives: one a session, whatever port it came by. */

/** Places for sessions, shared by all listeners. */
export interface ConnectionSlots {
  /** Waits until a place is free, without taking it. */
  available(): Promise<void>;
  /** Waits for a place and takes it. */
  take(): Promise<void>;
  /** Gives a place back. */
  free(): void;
}

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
