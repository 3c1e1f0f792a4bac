/** Failures of many addresses, or users, in bounded memory that a flood of new ones cannot empty. */

/** A failure that was counted. */
export interface Failure {
  /** Milliseconds of a clock that never goes back. */
  readonly at: number;
  /** Tells one tried secret from another. */
  readonly mark: string;
  /** Who else was concerned: the user in an address's record, the address in a user's. */
  readonly other: string;
  /**
   * What it adds towards a ban. `counted` adds one where its mark is new. `uncounted` adds nothing: who is banned already is not
   * banned again. `unchecked` (nobody knows whether it was wrong) adds one only where the same other one tried another mark
   * before: who repeats what is perhaps right adds nothing. @default "counted"
   */
  readonly weight?: "counted" | "uncounted" | "unchecked";
}

/** How often a key failed within the window. */
export interface FailureCount {
  /** Towards a ban: the same mark again counts once, unless it comes too quickly. */
  readonly different: number;
  /** Each time counts. */
  readonly all: number;
}

/** The same mark, however often. */
interface Repeated {
  readonly mark: string;
  readonly other: string;
  readonly at: number;
  readonly times: number;
  /** What it adds to {@linkcode FailureCount.different}. */
  readonly counted: number;
  /** The minute that began with one of its times, and how many fell into it. */
  readonly minute: number;
  readonly inMinute: number;
}

/** Settings of {@linkcode FailureRecord}. */
export interface FailureRecordOptions {
  /** Milliseconds for which a failure counts, as it is set now. */
  readonly window: () => number;
  /** How many keys are kept at most. */
  readonly capacity: number;
  /** How often the same mark may come in a minute before each further time counts. @default {Infinity} */
  readonly repeats?: number;
}

const MINUTE_MS = 60_000;
/** Different marks that are kept of one key; it is banned long before, unless bans are turned off or turned up. */
const MOST_MARKS = 5000;

/**
 * Who failed when. Those with a single failure are kept apart from those with more: when room is short, the oldest single
 * ones go first. An attacker who fails once from each of very many addresses, or with very many names, so pushes out his
 * own traces, not those of the addresses that are being counted.
 */
export class FailureRecord {
  readonly #options: FailureRecordOptions;
  readonly #single = new Map<string, Marks>();
  readonly #repeated = new Map<string, Marks>();

  constructor(options: FailureRecordOptions) {
    this.#options = options;
  }

  /** How many keys are kept. */
  get size(): number {
    return this.#single.size + this.#repeated.size;
  }

  /** How often a key failed within the window. */
  count(key: string, now: number): FailureCount {
    const marks = this.#find(key);
    marks?.expire(now - this.#options.window());
    return { different: marks?.different ?? 0, all: marks?.all ?? 0 };
  }

  /**
   * Counts a failure; one with a mark that is there already is the same one again.
   *
   * @returns how often the key failed within the window, this time included
   */
  add(key: string, failure: Failure): FailureCount {
    const marks = this.#find(key) ?? new Marks();
    marks.expire(failure.at - this.#options.window());
    marks.add(failure, this.#options.repeats ?? Infinity);
    this.#put(key, marks);
    this.#makeRoom();
    return { different: marks.different, all: marks.all };
  }

  /** Forgets what a key failed together with this other one. */
  forgive(key: string, other: string): void {
    const marks = this.#find(key);
    if (marks === undefined) return;
    marks.forgive(other);
    this.#put(key, marks);
  }

  /** Forgets a key; says whether it was there. */
  forget(key: string): boolean {
    const single = this.#single.delete(key);
    return this.#repeated.delete(key) || single;
  }

  /** Forgets the keys that fit; says whether there was any. */
  forgetAll(fits: (key: string) => boolean): boolean {
    const keys = [...this.#single.keys(), ...this.#repeated.keys()].filter(fits);
    for (const key of keys) this.forget(key);
    return keys.length > 0;
  }

  #find(key: string): Marks | undefined {
    return this.#single.get(key) ?? this.#repeated.get(key);
  }

  /** Puts a key's failures at the young end of the map that fits. */
  #put(key: string, marks: Marks): void {
    this.forget(key);
    if (marks.size === 1) this.#single.set(key, marks);
    else if (marks.size > 1) this.#repeated.set(key, marks);
  }

  #makeRoom(): void {
    const { capacity } = this.#options;
    while (this.size > capacity) {
      // A tenth is left to single failures, so that a new attacker can be noticed while the rest is full.
      const crowded = this.#single.size > capacity / 10 ? this.#single : this.#repeated;
      const [oldest] = crowded.keys();
      if (oldest === undefined) return;
      crowded.delete(oldest);
    }
  }
}

/** What was tried at one key, the longest unseen first. */
class Marks {
  readonly #marks = new Map<string, Repeated>();
  different = 0;
  all = 0;

  get size(): number {
    return this.#marks.size;
  }

  /** Forgets what was last tried at this time or before. */
  expire(before: number): void {
    for (const [mark, { at }] of this.#marks) {
      if (at > before) return;
      this.#remove(mark);
    }
  }

  add({ at, mark, other, weight = "counted" }: Failure, repeats: number): void {
    const same = this.#marks.get(mark);
    const fresh = same === undefined || at - same.minute >= MINUTE_MS;
    const inMinute = fresh ? 1 : same.inMinute + 1;
    let counted = same?.counted ?? 0;
    if (weight === "counted" && (counted === 0 || inMinute > repeats)) counted++;
    else if (weight === "unchecked" && counted === 0 && this.#triedOther(mark, other)) counted = 1;
    this.#remove(mark);
    this.#set({
      mark,
      other,
      at,
      times: (same?.times ?? 0) + 1,
      counted,
      minute: fresh ? at : same.minute,
      inMinute,
    });
    const [oldest] = this.#marks.keys();
    if (this.#marks.size > MOST_MARKS && oldest !== undefined) this.#remove(oldest);
  }

  forgive(other: string): void {
    for (const [mark, each] of this.#marks) if (each.other === other) this.#remove(mark);
  }

  #triedOther(mark: string, other: string): boolean {
    return this.#marks.values().some((each) => each.other === other && each.mark !== mark);
  }

  #set(one: Repeated): void {
    this.#marks.set(one.mark, one);
    this.different += one.counted;
    this.all += one.times;
  }

  #remove(mark: string): void {
    const one = this.#marks.get(mark);
    if (one === undefined) return;
    this.#marks.delete(mark);
    this.different -= one.counted;
    this.all -= one.times;
  }
}
