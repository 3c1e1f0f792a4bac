/** How many messages a worker may send: a bucket that fills with time, and with the work that a worker tells of. */

/** What a bucket holds. */
export interface MessageBudgetOptions {
  /** How many may come at once. */
  readonly most: number;
  /** How many more a second. */
  readonly perSecond: number;
  /** Milliseconds; never goes back. */
  readonly now?: () => number;
}

/** Counts messages against time. */
export class MessageBudget {
  readonly #most: number;
  readonly #perMillisecond: number;
  readonly #now: () => number;
  #left: number;
  #filled: number;

  constructor({ most, perSecond, now = () => performance.now() }: MessageBudgetOptions) {
    this.#most = most;
    this.#perMillisecond = perSecond / 1000;
    this.#now = now;
    this.#left = most;
    this.#filled = now();
  }

  /** Takes one out. Returns false when there is none. */
  take(): boolean {
    if (this.#left < 1) this.#fill();
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  /** Adds some, up to what the bucket holds. */
  add(messages: number): void {
    this.#left = Math.min(this.#most, this.#left + messages);
  }

  #fill(): void {
    const now = this.#now();
    this.add((now - this.#filled) * this.#perMillisecond);
    this.#filled = now;
  }
}
