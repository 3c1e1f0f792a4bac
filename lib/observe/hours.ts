/** A row an hour for two years: what minutes are rolled up into before they are forgotten. */

import { type Clock, systemClock } from "../async/clock.ts";
import type { CounterStore } from "../contracts/record_store.ts";
import { logger } from "../log/logging.ts";
import { HISTORY_HOURS } from "../state/retention.ts";
import type { History } from "./history.ts";
import { METRICS } from "./metrics.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Milliseconds behind an hour's end until its minutes are surely saved. */
const LATE = 2 * MINUTE;
/** Minutes that may not be rolled up yet: the hour under way, and the one before it. */
const MINUTES_AHEAD = 2 * 60 + 2;

/** The part of the state that this needs. */
export type HourStore = Pick<
  CounterStore,
  "history" | "appendHour" | "hours" | "forgetHoursBefore"
>;

/** An hour of one metric. */
export interface HourValue {
  /** The hour's beginning, milliseconds since 1970. */
  readonly hour: number;
  /** What a counter grew by, a gauge's highest value, a duration's mean over the minutes that had one. */
  readonly value: number;
}

/** How hours are kept. */
export interface HoursOptions {
  readonly store: HourStore;
  /** Knows the minutes that are not rolled up yet. */
  readonly history: Pick<History, "query">;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

type Kind = (typeof METRICS)[number]["kind"];

/** Rolls minutes up, from its making on. Disposing waits for what is being written. */
export class Hours implements AsyncDisposable {
  readonly #options: HoursOptions;
  readonly #clock: Clock;
  readonly #timer: ReturnType<typeof setInterval>;
  /** The last hour that was rolled up, hours since 1970. */
  #last: number | undefined;
  #rolling: Promise<void> = Promise.resolve();
  #failing = false;

  constructor(options: HoursOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timer = setInterval(() => this.roll(), MINUTE);
    Deno.unrefTimer(this.#timer);
    void this.roll();
  }

  /** Rolls up the hours that are over. Settles when they are kept, or it has failed, which the log says once. */
  roll(): Promise<void> {
    this.#rolling = this.#rolling.then(async () => {
      const end = Math.floor((this.#clock.wall() - LATE) / HOUR);
      if (this.#last !== undefined && this.#last >= end - 1) return;
      try {
        await this.#roll(end);
        this.#failing = false;
      } catch (error) {
        if (!this.#failing) {
          logger("history").warn("Hours cannot be saved, trying again: {error}", { error });
        }
        this.#failing = true;
      }
    });
    return this.#rolling;
  }

  /**
   * The last hours of one metric, the oldest first and the one under way last; hours without any minute are missing.
   *
   * @returns undefined where there is no metric of that name
   * @throws {StateStoreError} when the state cannot be read
   */
  async query(name: string, hours: number): Promise<readonly HourValue[] | undefined> {
    const metric = METRICS.find((each) => each.name === name);
    if (metric === undefined) return undefined;
    await this.roll();
    const first = Math.floor(this.#clock.wall() / HOUR) - hours + 1;
    const rows: HourValue[] = [];
    for await (const { hour, value } of this.#options.store.hours(name, first)) {
      rows.push({ hour: hour * HOUR, value });
    }
    const known = rows.at(-1)?.hour ?? -Infinity;
    const sums = new Sums();
    for (const { minute, value } of this.#options.history.query(name, MINUTES_AHEAD) ?? []) {
      const hour = Math.floor(minute / HOUR);
      if (hour * HOUR > known && hour >= first) sums.add(hour, value, metric.kind);
    }
    for (const [hour, value] of sums.values(metric.kind)) rows.push({ hour: hour * HOUR, value });
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#rolling;
  }

  /** @param end the first hour that is not over */
  async #roll(end: number): Promise<void> {
    const { store } = this.#options;
    this.#last ??= await this.#lastKept(end);
    const from = this.#last + 1;
    const hours = new Map<number, Map<string, number>>();
    for (const { name, kind } of METRICS) {
      const sums = new Sums();
      for await (const { minute, value } of store.history(name, from * 60)) {
        if (minute >= end * 60) break;
        sums.add(Math.floor(minute / 60), value, kind);
      }
      for (const [hour, value] of sums.values(kind)) {
        const values = hours.get(hour) ?? new Map<string, number>();
        hours.set(hour, values.set(name, value));
      }
    }
    for (const hour of [...hours.keys()].sort((one, other) => one - other)) {
      await store.appendHour(hour, hours.get(hour)!);
      this.#last = hour;
    }
    this.#last = Math.max(this.#last, end - 1);
    if (hours.size > 0) await this.#forget();
  }

  /** Counted, since by a wrong clock all of them would be too old. */
  async #forget(): Promise<void> {
    const { store } = this.#options;
    const kept: number[] = [];
    for await (const { hour } of store.hours(METRICS[0]!.name, 0)) kept.push(hour);
    const oldest = kept.at(-HISTORY_HOURS);
    if (kept.length > HISTORY_HOURS && oldest !== undefined) await store.forgetHoursBefore(oldest);
  }

  async #lastKept(end: number): Promise<number> {
    let last = -1;
    for await (const { hour } of this.#options.store.hours(METRICS[0]!.name, 0)) last = hour;
    // A clock that was ahead once must not keep hours from being written until it is reached.
    return Math.min(last, end - 1);
  }
}

/** Minutes' values by hour. */
class Sums {
  readonly #hours = new Map<number, { sum: number; most: number; count: number }>();

  add(hour: number, value: number, kind: Kind): void {
    const kept = this.#hours.get(hour) ?? { sum: 0, most: 0, count: 0 };
    this.#hours.set(hour, kept);
    // A minute without a command has no duration.
    if (kind === "histogram" && value === 0) return;
    kept.sum += value;
    kept.most = Math.max(kept.most, value);
    kept.count++;
  }

  *values(kind: Kind): Generator<readonly [hour: number, value: number]> {
    for (const [hour, { sum, most, count }] of this.#hours) {
      const mean = count === 0 ? 0 : sum / count;
      yield [hour, kind === "counter" ? sum : kind === "gauge" ? most : mean];
    }
  }
}
