/** The access log and the counters in memory: the twins of what the state file keeps. */

import type {
  AccessEnd,
  AccessLog,
  AccessRecord,
  AccessStart,
  CounterStore,
  HistoryRow,
  HourRow,
} from "../../contracts/record_store.ts";
import { ACCESS_DAYS, ACCESSES_PER_USER } from "../retention.ts";

/** The access log in memory. */
export class MemoryAccessLog implements AccessLog {
  /** The day that the server was in when a record was there first, by its session; none before the next day has come. */
  readonly #days = new Map<string, number>();
  readonly #records = new Map<string, AccessRecord[]>();
  readonly #open = new Map<string, AccessStart>();

  opened(start: AccessStart): void {
    const records = this.#records.get(start.user) ?? [];
    records.push({ ...start, end: undefined });
    if (records.length > ACCESSES_PER_USER) this.#days.delete(records.shift()!.session);
    this.#records.set(start.user, records);
    this.#open.set(start.session, start);
  }

  completed(session: string, end: AccessEnd): void {
    const start = this.#open.get(session);
    if (!start) return;
    this.#open.delete(session);
    const records = this.#records.get(start.user) ?? [];
    const index = records.findLastIndex((record) => record.session === session);
    if (index >= 0) records[index] = { ...start, end };
  }

  count(user: string): Promise<number> {
    return Promise.resolve(this.#records.get(user)?.length ?? 0);
  }

  forgetOld(day: number): Promise<void> {
    for (const [user, records] of this.#records) {
      const kept = records.filter(({ session }) => {
        const noted = this.#days.get(session) ?? day;
        if (noted > day - ACCESS_DAYS) this.#days.set(session, noted);
        else this.#days.delete(session);
        return this.#days.has(session);
      });
      this.#records.set(user, kept);
    }
    return Promise.resolve();
  }

  list(user: string, limit: number): Promise<readonly AccessRecord[]> {
    const records = this.#records.get(user) ?? [];
    return Promise.resolve(records.slice(Math.max(0, records.length - limit)));
  }
}

/** Counters in memory. */
export class MemoryCounters implements CounterStore {
  readonly #totals = new Map<string, number>();
  readonly #rows = new Map<number, ReadonlyMap<string, number>>();
  readonly #hours = new Map<number, ReadonlyMap<string, number>>();

  totals(): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(new Map(this.#totals));
  }

  add(
    deltas: ReadonlyMap<string, number>,
    peaks: ReadonlyMap<string, number> = new Map(),
  ): Promise<void> {
    const of = (name: string): number => this.#totals.get(name) ?? 0;
    for (const [name, delta] of deltas) this.#totals.set(name, of(name) + delta);
    for (const [name, peak] of peaks) this.#totals.set(name, Math.max(of(name), peak));
    return Promise.resolve();
  }

  append(minute: number, values: ReadonlyMap<string, number>): Promise<void> {
    this.#rows.set(minute, new Map([...this.#rows.get(minute) ?? [], ...values]));
    return Promise.resolve();
  }

  forgetBefore(minute: number): Promise<void> {
    for (const old of this.#rows.keys()) if (old < minute) this.#rows.delete(old);
    return Promise.resolve();
  }

  move({ from, to }: { from: number; to: number }, by: number): Promise<void> {
    const moved = [...this.#rows].filter(([minute]) => minute >= from && minute <= to);
    for (const [minute] of moved) this.#rows.delete(minute);
    for (let minute = from + by; minute <= to + by; minute++) this.#rows.delete(minute);
    for (const [minute, values] of moved) this.#rows.set(minute + by, values);
    return Promise.resolve();
  }

  async *history(counter: string, since: number): AsyncGenerator<HistoryRow> {
    for (const minute of [...this.#rows.keys()].sort((one, other) => one - other)) {
      const value = this.#rows.get(minute)?.get(counter);
      if (minute >= since && value !== undefined) yield { minute, value };
    }
  }

  appendHour(hour: number, values: ReadonlyMap<string, number>): Promise<void> {
    this.#hours.set(hour, new Map(values));
    return Promise.resolve();
  }

  async *hours(counter: string, since: number): AsyncGenerator<HourRow> {
    for (const hour of [...this.#hours.keys()].sort((one, other) => one - other)) {
      const value = this.#hours.get(hour)?.get(counter);
      if (hour >= since && value !== undefined) yield { hour, value };
    }
  }

  forgetHoursBefore(hour: number): Promise<void> {
    for (const each of [...this.#hours.keys()]) if (each < hour) this.#hours.delete(each);
    return Promise.resolve();
  }
}
