/** A row a minute for a week: what HISTORY, `top` and the dashboard draw from. */

import { type Clock, systemClock } from "../async/clock.ts";
import type { CounterStore } from "../contracts/record_store.ts";
import { HISTORY_MINUTES } from "../state/retention.ts";
import type { Counters } from "./counters.ts";
import { logger } from "../log/logging.ts";
import { METRICS } from "./metrics.ts";

/** Milliseconds of a minute. */
const MINUTE = 60_000;
/** Milliseconds between two savings of the minute under way. */
const SAVE_INTERVAL = 10_000;
/** By how much the wall clock must go back to have been set, and not only to be kept right. */
const STEP_BACK = MINUTE / 2;

/** Rows saved in one go, where a store that failed lacks many: some milliseconds. */
const ROWS_AT_ONCE = 60;

/** The one figure that is a mean. */
const MEAN = "pop3.command.duration";

/** The part of the state that this needs. */
export type MinuteStore = Pick<CounterStore, "append" | "forgetBefore" | "history" | "move">;

/** One minute of one metric. */
export interface MinuteValue {
  /** The minute's beginning, milliseconds since 1970. */
  readonly minute: number;
  /** What a counter grew by in it, what a gauge stood at, a histogram's mean in milliseconds. */
  readonly value: number;
}

/** How history is kept. */
export interface HistoryOptions {
  /** @default {systemClock} */
  readonly clock?: Clock;
  /** Where rows outlive the process. */
  readonly store?: MinuteStore;
}

/** What the counters said when the present minute began. */
interface Baseline {
  readonly values: Record<string, number>;
  readonly count: number;
  readonly sum: number;
}

/**
 * Minutes in a ring of numbers (1.1 MB for a week). The last minute is the one under way, so that what just happened is seen at once.
 * Minutes in which the server was not running are missing.
 */
export class History {
  readonly #counters: Counters;
  readonly #clock: Clock;
  readonly #store: MinuteStore | undefined;
  readonly #columns = new Map<string, Float64Array>();
  readonly #minutes = new Float64Array(HISTORY_MINUTES);
  /** How many commands each mean is of. */
  readonly #weights = new Float64Array(HISTORY_MINUTES);
  /** How many minutes were ever begun; the present one is at `(begun - 1) % HISTORY_MINUTES`. */
  #begun = 0;
  /** How many of them came from the store. */
  #loaded = 0;
  /** By how much the wall clock was ahead of the monotonic one when it was last looked at. */
  #offset: number;
  #baseline: Baseline;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> = Promise.resolve();
  /** The first row that the store may lack. */
  #unsaved = 0;
  #failing = false;

  /** @param counters already restored: what they say now is where the first minute begins */
  constructor(counters: Counters, options: HistoryOptions = {}) {
    this.#counters = counters;
    this.#clock = options.clock ?? systemClock;
    this.#store = options.store;
    for (const { name } of METRICS) this.#columns.set(name, new Float64Array(HISTORY_MINUTES));
    this.#offset = this.#clock.wall() - this.#clock.monotonic();
    this.#baseline = this.#measure();
  }

  /**
   * Takes the rows that the store has.
   *
   * @throws {Error} when the store cannot be read
   */
  async load(): Promise<void> {
    if (this.#store === undefined) return;
    const present = this.#presentMinute();
    const rows = new Map<number, Map<string, number>>();
    for (const { name } of METRICS) {
      for await (const row of this.#store.history(name, present / MINUTE - HISTORY_MINUTES + 1)) {
        const values = rows.get(row.minute) ?? new Map<string, number>();
        rows.set(row.minute, values.set(name, row.value));
      }
    }
    const past = [...rows].sort(([a], [b]) => a - b).filter(([at]) => at * MINUTE <= present);
    for (const [minute, values] of past) this.#begin(minute * MINUTE, values);
    this.#loaded = this.#begun;
    const last = past.at(-1);
    // A restart within a minute goes on with that minute's counts.
    if (last !== undefined && this.#lastMinute() === present) {
      this.#goOnWith(last[1]);
      this.#loaded--;
    }
    this.tick();
    this.#unsaved = this.#begun - 1;
  }

  /** Writes what was counted since into the present minute's row, and begins a new one when its time has come. */
  tick(): void {
    this.#followClock();
    const minute = this.#presentMinute();
    const last = this.#lastMinute();
    if (last !== undefined) {
      this.#fill();
      if (minute <= last) return;
      this.#save();
      this.#baseline = this.#measure();
    }
    this.#begin(minute);
    this.#fill();
    this.#forget();
  }

  /**
   * The last minutes of one metric, the oldest first and the one under way last.
   *
   * @param minutes how many at most, 1 to {@linkcode HISTORY_MINUTES}
   * @returns undefined where there is no metric of that name
   */
  query(name: string, minutes: number = 60): readonly MinuteValue[] | undefined {
    const column = this.#columns.get(name);
    if (column === undefined) return undefined;
    this.tick();
    const rows: MinuteValue[] = [];
    for (let at = this.#oldest(); at < this.#begun; at++) {
      const minute = this.#minutes[at % HISTORY_MINUTES]!;
      if (minute > this.#presentMinute() - minutes * MINUTE) {
        rows.push({ minute, value: column[at % HISTORY_MINUTES]! });
      }
    }
    return rows.slice(-minutes);
  }

  /** Keeps time until it is disposed, which saves the minute under way; a kill takes back ten seconds of it. */
  start(): AsyncDisposable {
    let saved = this.#counters.revision;
    const next = (): void => {
      this.tick();
      if (saved !== this.#counters.revision || this.#failing || this.#lacks) this.#save();
      saved = this.#counters.revision;
      this.#timer = setTimeout(
        next,
        Math.min(SAVE_INTERVAL, MINUTE - this.#clock.wall() % MINUTE),
      );
      Deno.unrefTimer(this.#timer);
    };
    next();
    return {
      [Symbol.asyncDispose]: async () => {
        clearTimeout(this.#timer);
        this.tick();
        this.#save(HISTORY_MINUTES);
        await this.#saving;
      },
    };
  }

  #presentMinute(): number {
    return Math.floor(this.#clock.wall() / MINUTE) * MINUTE;
  }

  #lastMinute(): number | undefined {
    return this.#begun === 0 ? undefined : this.#minutes[(this.#begun - 1) % HISTORY_MINUTES];
  }

  #oldest(): number {
    return Math.max(0, this.#begun - HISTORY_MINUTES);
  }

  /**
   * When the wall clock was set back, what this run wrote under times that are ahead now was written by a wrong clock: it is moved back by
   * as much. A clock that is set ahead changes nothing: the machine may have slept.
   */
  #followClock(): void {
    const before = this.#offset;
    this.#offset = this.#clock.wall() - this.#clock.monotonic();
    const by = Math.round((this.#offset - before) / MINUTE) * MINUTE;
    const to = this.#lastMinute();
    const present = this.#presentMinute();
    if (this.#offset - before > -STEP_BACK || by === 0 || to === undefined || to <= present) return;
    let from = to;
    let at = this.#begun - 1;
    const oldest = Math.max(this.#oldest(), this.#loaded);
    for (; at >= oldest && this.#minutes[at % HISTORY_MINUTES]! > present; at--) {
      from = this.#minutes[at % HISTORY_MINUTES]!;
      this.#minutes[at % HISTORY_MINUTES]! += by;
    }
    this.#unsaved = Math.min(this.#unsaved, at + 1);
    // What had these times before gives way.
    for (; at >= this.#oldest() && !(this.#minutes[at % HISTORY_MINUTES]! < from + by); at--) {
      this.#minutes[at % HISTORY_MINUTES] = NaN;
    }
    this.#write((store) => store.move({ from: from / MINUTE, to: to / MINUTE }, by / MINUTE));
  }

  /** Once there is a week of minutes, what is older is forgotten. Counted, since by a wrong clock all of it would be too old. */
  #forget(): void {
    const oldest = this.#minutes[this.#oldest() % HISTORY_MINUTES]!;
    if (this.#begun <= HISTORY_MINUTES || Number.isNaN(oldest)) return;
    this.#write((store) => store.forgetBefore(oldest / MINUTE));
  }

  #begin(minute: number, values?: ReadonlyMap<string, number>): void {
    const at = this.#begun++ % HISTORY_MINUTES;
    this.#minutes[at] = minute;
    this.#weights[at] = 0;
    for (const [name, column] of this.#columns) column[at] = values?.get(name) ?? 0;
  }

  #measure(): Baseline {
    const { count, sum } = this.#counters.durations();
    return { values: this.#counters.figures(), count, sum };
  }

  #goOnWith(counted: ReadonlyMap<string, number>): void {
    const values = { ...this.#baseline.values };
    for (const { name, kind } of METRICS) {
      if (kind === "counter") values[name] = (values[name] ?? 0) - (counted.get(name) ?? 0);
    }
    this.#baseline = { ...this.#baseline, values };
  }

  #fill(): void {
    const at = (this.#begun - 1) % HISTORY_MINUTES;
    const { values, count, sum } = this.#measure();
    const before = this.#baseline;
    for (const { name, kind } of METRICS) {
      const column = this.#columns.get(name)!;
      const value = values[name] ?? 0;
      if (kind === "gauge") column[at] = value;
      else if (kind === "counter") column[at] = value - (before.values[name] ?? 0);
      else if (count > before.count) {
        column[at] = (sum - before.sum) / (count - before.count);
        this.#weights[at] = count - before.count;
      }
    }
  }

  /** Whether the store lacks rows of minutes that are over. */
  get #lacks(): boolean {
    return this.#unsaved < this.#begun - 1;
  }

  /** Saves rows that the store lacks, the oldest first, and the one under way. */
  #save(most: number = ROWS_AT_ONCE): void {
    if (this.#begun === 0) return;
    this.#write(async (store) => {
      const first = Math.max(this.#unsaved, this.#oldest());
      const end = Math.min(this.#begun, first + most);
      for (let at = first; at < end; at++) {
        const minute = this.#minutes[at % HISTORY_MINUTES]!;
        if (!Number.isNaN(minute)) {
          await store.append(minute / MINUTE, this.#row(at), this.#weightsOf(at));
        }
        // The one under way is saved again.
        this.#unsaved = Math.min(at + 1, this.#begun - 1);
      }
    });
  }

  /** Writes after what is being written; a store that fails is told of once. */
  #write(change: (store: MinuteStore) => Promise<void>): void {
    const store = this.#store;
    if (store === undefined) return;
    this.#saving = this.#saving.then(async () => {
      try {
        await change(store);
        this.#failing = false;
      } catch (error) {
        if (!this.#failing) {
          logger("history").warn("Minutes cannot be saved, trying again: {error}", { error });
        }
        this.#failing = true;
      }
    });
  }

  #weightsOf(at: number): ReadonlyMap<string, number> {
    return new Map([[MEAN, this.#weights[at % HISTORY_MINUTES]!]]);
  }

  #row(at: number): ReadonlyMap<string, number> {
    const place = at % HISTORY_MINUTES;
    return new Map(Array.from(this.#columns, ([name, column]) => [name, column[place]!]));
  }
}
