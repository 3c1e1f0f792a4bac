/** Failures of many addresses, or users, in bounded memory that a flood of new ones cannot empty. */

/** A failure that was counted. */
export interface Failure {
  /** By a monotonic clock, in milliseconds. */
  readonly at: number;
  /** Tells one tried secret from another. */
  readonly mark: string;
  /** Who else was concerned: the user in an address's record, the address in a user's. */
  readonly other: string;
}

/** How often a key failed within the window. */
export interface FailureCount {
  /** The same mark again counts once. */
  readonly different: number;
  /** Each time counts. */
  readonly all: number;
}

/** A failure, and how often the same was tried. */
interface Repeated extends Failure {
  readonly times: number;
}

/** Settings of {@linkcode FailureRecord}. */
export interface FailureRecordOptions {
  /** Milliseconds for which a failure counts. */
  readonly window: number;
  /** How many keys are kept at most. */
  readonly capacity: number;
}

/**
 * Who failed when. Those with a single failure are kept apart from those with more: when room is short, the oldest single
 * ones go first. An attacker who fails once from each of very many addresses, or with very many names, so pushes out his
 * own traces, not those of the addresses that are being counted.
 */
export class FailureRecord {
  readonly #window: number;
  readonly #capacity: number;
  readonly #single = new Map<string, readonly Repeated[]>();
  readonly #repeated = new Map<string, readonly Repeated[]>();

  constructor(options: FailureRecordOptions) {
    this.#window = options.window;
    this.#capacity = options.capacity;
  }

  /** How many keys are kept. */
  get size(): number {
    return this.#single.size + this.#repeated.size;
  }

  /** How often a key failed within the window. */
  count(key: string, now: number): number {
    return this.#recent(key, now).length;
  }

  /**
   * Counts a failure; one with a mark that is there already is the same one again.
   *
   * @returns how often the key failed within the window, this time included
   */
  add(key: string, failure: Failure): FailureCount {
    const recent = this.#recent(key, failure.at);
    const same = recent.find((one) => one.mark === failure.mark);
    const failures = recent.filter((one) => one !== same);
    failures.push({ ...failure, times: (same?.times ?? 0) + 1 });
    this.#put(key, failures);
    this.#makeRoom();
    return {
      different: failures.length,
      all: failures.reduce((sum, { times }) => sum + times, 0),
    };
  }

  /** Forgets what a key failed together with this other one. */
  forgive(key: string, other: string): void {
    const failures = this.#find(key);
    if (failures !== undefined) this.#put(key, failures.filter((one) => one.other !== other));
  }

  /** Forgets a key; says whether it was there. */
  forget(key: string): boolean {
    const single = this.#single.delete(key);
    return this.#repeated.delete(key) || single;
  }

  #find(key: string): readonly Repeated[] | undefined {
    return this.#single.get(key) ?? this.#repeated.get(key);
  }

  #recent(key: string, now: number): readonly Repeated[] {
    return (this.#find(key) ?? []).filter((failure) => now - failure.at < this.#window);
  }

  /** Puts a key's failures at the young end of the map that fits. */
  #put(key: string, failures: readonly Repeated[]): void {
    this.forget(key);
    if (failures.length === 1) this.#single.set(key, failures);
    else if (failures.length > 1) this.#repeated.set(key, failures);
  }

  #makeRoom(): void {
    while (this.size > this.#capacity) {
      // A tenth is left to single failures, so that a new attacker can be noticed while the rest is full.
      const crowded = this.#single.size > this.#capacity / 10 ? this.#single : this.#repeated;
      const [oldest] = crowded.keys();
      if (oldest === undefined) return;
      crowded.delete(oldest);
    }
  }
}
