/** How many connections there are, of which kind, in all and in each thread: counters in memory that the threads share. */

/** What is counted, in all and for each thread. */
export const KINDS = ["open", "served", "loggedIn", "overdue", "waiting"] as const;

/**
 * A kind of connection: `open` is every one that was accepted; `served` are those that count towards the limit; `loggedIn` those of
 * them that have logged in; `overdue` those that have not for so long that they may give way; `waiting` are not greeted yet.
 */
export type ConnectionKind = typeof KINDS[number];

/** Before the rows: the limit, a ceiling below it, served ones that others must still give way to, changes, and until when it is crowded. */
const LIMIT = 0;
const CEILING = 1;
const OVER = 2;
const CHANGES = 3;
const CROWDED_UNTIL = 4;
const TOTALS = 5;
/** A row of a thread has one counter more: when its connection that has been overdue longest came, 0 for none. */
const WIDTH = KINDS.length + 1;
const OLDEST = KINDS.length;

/** One thread's view of all threads' counters. Times are milliseconds of a clock of the caller's; differences of 24 days are understood. */
export class SlotCounters {
  readonly #memory: Int32Array;
  readonly #own: number;
  readonly #rows: number;

  /**
   * @param memory from {@linkcode slotMemory}
   * @param thread which of the threads this is
   */
  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#memory = new Int32Array(memory);
    this.#own = rowOf(thread);
    this.#rows = (this.#memory.length - TOTALS) / WIDTH;
  }

  /** How many of a kind there are in all threads. */
  total(kind: ConnectionKind): number {
    return Atomics.load(this.#memory, TOTALS + KINDS.indexOf(kind));
  }

  /** Counts so many more, or fewer, of this thread. */
  add(kind: ConnectionKind, count: number): void {
    const column = KINDS.indexOf(kind);
    Atomics.add(this.#memory, this.#own + column, count);
    Atomics.add(this.#memory, TOTALS + column, count);
  }

  /** Counts one more where there are fewer than the limit. Returns whether there were. */
  addBelowLimit(kind: ConnectionKind): boolean {
    const column = KINDS.indexOf(kind);
    for (;;) {
      const count = Atomics.load(this.#memory, TOTALS + column);
      if (count >= this.limit) return false;
      const at = TOTALS + column;
      if (Atomics.compareExchange(this.#memory, at, count, count + 1) !== count) continue;
      Atomics.add(this.#memory, this.#own + column, 1);
      return true;
    }
  }

  get limit(): number {
    return Atomics.load(this.#memory, LIMIT);
  }

  setLimit(limit: number): void {
    Atomics.store(this.#memory, LIMIT, limit);
    this.settleOver();
    this.changed();
  }

  /** The most connections that may be open while it is crowded: what the system's descriptors were seen to be enough for. */
  get ceiling(): number | undefined {
    const ceiling = Atomics.load(this.#memory, CEILING);
    return ceiling === NO_CEILING ? undefined : ceiling;
  }

  lowerCeiling(ceiling: number): void {
    if (ceiling < Atomics.load(this.#memory, CEILING)) {
      Atomics.store(this.#memory, CEILING, ceiling);
    }
  }

  /** How many are served beyond the limit, for whom others must give way yet. */
  get over(): number {
    return Atomics.load(this.#memory, OVER);
  }

  addOver(): void {
    Atomics.add(this.#memory, OVER, 1);
  }

  /** One leaves or gives way for one of those that came beyond the limit. Returns whether there was such a one. */
  takeOver(): boolean {
    for (;;) {
      const over = this.over;
      if (over <= 0) return false;
      if (Atomics.compareExchange(this.#memory, OVER, over, over - 1) === over) return true;
    }
  }

  /** Nobody gives way while there is room. */
  settleOver(): void {
    const most = Math.max(0, this.total("served") - this.limit);
    for (;;) {
      const over = this.over;
      if (over <= most || Atomics.compareExchange(this.#memory, OVER, over, most) === over) return;
    }
  }

  /** Says until when the server counts as crowded. */
  setCrowded(until: number): void {
    // 0 stands for never.
    Atomics.store(this.#memory, CROWDED_UNTIL, until | 0 || 1);
  }

  isCrowded(now: number): boolean {
    const until = Atomics.load(this.#memory, CROWDED_UNTIL);
    if (until === 0) return false;
    if (((until - now) | 0) > 0) return true;
    if (Atomics.compareExchange(this.#memory, CROWDED_UNTIL, until, 0) === until) {
      Atomics.store(this.#memory, CEILING, NO_CEILING);
      this.changed();
    }
    return false;
  }

  /** Tells the others when this thread's oldest overdue connection came; undefined where there is none. */
  setOldest(came: number | undefined): void {
    Atomics.store(this.#memory, this.#own + OLDEST, came === undefined ? 0 : came | 0 || 1);
  }

  /** Whether no other thread has an overdue connection that came more than so many milliseconds before this time. */
  isOldest(came: number, slack: number): boolean {
    for (let thread = 0, row = rowOf(0); thread < this.#rows - 1; thread++, row += WIDTH) {
      const other = Atomics.load(this.#memory, row + OLDEST);
      if (row !== this.#own && other !== 0 && ((came - other) | 0) > slack) return false;
    }
    return true;
  }

  /** A number that changes whenever something may have become possible. */
  get changes(): number {
    return Atomics.load(this.#memory, CHANGES);
  }

  /** Wakes all who wait for a change. */
  changed(): void {
    Atomics.add(this.#memory, CHANGES, 1);
    Atomics.notify(this.#memory, CHANGES);
  }

  /** Waits until {@linkcode SlotCounters.changes} is another number. */
  async change(seen: number): Promise<void> {
    const wait = Atomics.waitAsync(this.#memory, CHANGES, seen);
    if (wait.async) await wait.value;
  }

  /** Counts nothing of this thread any more: it is gone. */
  forgetThread(): void {
    for (let column = 0; column < KINDS.length; column++) {
      const own = Atomics.exchange(this.#memory, this.#own + column, 0);
      Atomics.sub(this.#memory, TOTALS + column, own);
    }
    this.setOldest(undefined);
    this.settleOver();
    this.changed();
  }
}

const NO_CEILING = 2_147_483_647;

/** The totals are the first row. */
function rowOf(thread: number): number {
  return TOTALS + WIDTH * (thread + 1);
}

/**
 * Makes the counters of so many threads.
 *
 * @param limit how many connections are served at once
 * @param threads how many threads may ever be counted at once
 */
export function slotMemory(limit: number, threads: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * rowOf(threads));
  const counters = new Int32Array(memory);
  counters[LIMIT] = limit;
  counters[CEILING] = NO_CEILING;
  return memory;
}
