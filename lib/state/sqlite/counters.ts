/** Counters' totals and their history in the state file. */

import type { CounterStore, HistoryRow, HourRow } from "../../contracts/record_store.ts";
import type { SqliteDatabase } from "./database.ts";

/** Rows read at a time by {@linkcode SqliteCounters.history}. */
const PAGE = 1000;

/** Counters in the state file. */
export class SqliteCounters implements CounterStore {
  readonly #database: SqliteDatabase;

  /** Makes the view on the counters. */
  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async totals(): Promise<ReadonlyMap<string, number>> {
    const rows = this.#database.all("SELECT name, total FROM counters WHERE total IS NOT NULL");
    return new Map(rows.map((row) => [row.name as string, row.total as number]));
  }

  async add(
    deltas: ReadonlyMap<string, number>,
    peaks: ReadonlyMap<string, number> = new Map(),
  ): Promise<void> {
    if (deltas.size + peaks.size === 0) return;
    this.#database.transaction("kill", () => {
      for (const [name, delta] of deltas) {
        this.#database.run(
          "INSERT INTO counters (name, total) VALUES (?, ?) " +
            "ON CONFLICT (name) DO UPDATE SET total = coalesce(total, 0) + excluded.total",
          name,
          delta,
        );
      }
      for (const [name, peak] of peaks) {
        this.#database.run(
          "INSERT INTO counters (name, total) VALUES (?, ?) " +
            "ON CONFLICT (name) DO UPDATE SET total = max(coalesce(total, 0), excluded.total)",
          name,
          peak,
        );
      }
    });
  }

  async append(minute: number, values: ReadonlyMap<string, number>): Promise<void> {
    this.#database.transaction("kill", () => {
      for (const [name, value] of values) {
        this.#database.run(
          "INSERT INTO history VALUES (?, ?, ?) " +
            "ON CONFLICT (counter, minute) DO UPDATE SET value = excluded.value",
          this.#id(name),
          minute,
          value,
        );
      }
    });
  }

  /** See {@linkcode CounterStore.forgetBefore}. */
  // deno-lint-ignore require-await -- what is thrown must reject
  async forgetBefore(minute: number): Promise<void> {
    this.#database.transaction("kill", () => {
      this.#database.run(
        "DELETE FROM history WHERE counter IN (SELECT id FROM counters) AND minute < ?",
        minute,
      );
    });
  }

  /** See {@linkcode CounterStore.move}. */
  // deno-lint-ignore require-await -- what is thrown must reject
  async move({ from, to }: { from: number; to: number }, by: number): Promise<void> {
    const of = "counter IN (SELECT id FROM counters) AND minute BETWEEN ? AND ?";
    this.#database.transaction("kill", () => {
      // By way of negative minutes, since a row may go where another one still is.
      this.#database.run(`UPDATE history SET minute = -(minute + ?) WHERE ${of}`, by, from, to);
      this.#database.run(`DELETE FROM history WHERE ${of}`, from + by, to + by);
      this.#database.run(
        "UPDATE history SET minute = -minute WHERE counter IN (SELECT id FROM counters) AND minute < 0",
      );
    });
  }

  async *history(counter: string, since: number): AsyncGenerator<HistoryRow> {
    for (let next = since;;) {
      const rows = this.#database.all(
        "SELECT minute, value FROM history JOIN counters ON counters.id = history.counter " +
          "WHERE counters.name = ? AND minute >= ? ORDER BY minute LIMIT ?",
        counter,
        next,
        PAGE,
      );
      for (const row of rows) {
        next = row.minute as number + 1;
        yield { minute: row.minute as number, value: row.value as number };
      }
      if (rows.length < PAGE) return;
    }
  }

  async appendHour(hour: number, values: ReadonlyMap<string, number>): Promise<void> {
    this.#database.transaction("kill", () => {
      for (const [name, value] of values) {
        this.#database.run(
          "INSERT INTO history_hours VALUES (?, ?, ?) " +
            "ON CONFLICT (counter, hour) DO UPDATE SET value = excluded.value",
          this.#id(name),
          hour,
          value,
        );
      }
    });
  }

  async *hours(counter: string, since: number): AsyncGenerator<HourRow> {
    for (let next = since;;) {
      const rows = this.#database.all(
        "SELECT hour, value FROM history_hours JOIN counters ON counters.id = history_hours.counter " +
          "WHERE counters.name = ? AND hour >= ? ORDER BY hour LIMIT ?",
        counter,
        next,
        PAGE,
      );
      for (const row of rows) {
        next = row.hour as number + 1;
        yield { hour: row.hour as number, value: row.value as number };
      }
      if (rows.length < PAGE) return;
    }
  }

  /** See {@linkcode CounterStore.forgetHoursBefore}. */
  // deno-lint-ignore require-await -- what is thrown must reject
  async forgetHoursBefore(hour: number): Promise<void> {
    this.#database.transaction("kill", () => {
      this.#database.run("DELETE FROM history_hours WHERE hour < ?", hour);
    });
  }

  /** Within a transaction: a counter's number, under which its rows are kept. */
  #id(name: string): number {
    const row = this.#database.get("SELECT id FROM counters WHERE name = ?", name) ??
      this.#database.get("INSERT INTO counters (name) VALUES (?) RETURNING id", name);
    return row?.id as number;
  }
}
