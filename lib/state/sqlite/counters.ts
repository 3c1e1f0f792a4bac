/** Counters' totals and their history in the state file. */

import type { CounterStore, HistoryRow } from "../../contracts/record_store.ts";
import { HISTORY_MINUTES } from "../retention.ts";
import type { SqliteDatabase } from "./database.ts";

/** Rows read at a time by {@linkcode SqliteCounters.history}. */
const PAGE = 1000;

/** Counters in the state file. */
export class SqliteCounters implements CounterStore {
  readonly #database: SqliteDatabase;
  /** What is in the file, so that only what changed is written. */
  readonly #saved = new Map<string, number>();

  /** Makes the view on the counters. */
  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async totals(): Promise<ReadonlyMap<string, number>> {
    const rows = this.#database.all("SELECT name, total FROM counters WHERE total IS NOT NULL");
    return new Map(rows.map((row) => [row.name as string, row.total as number]));
  }

  async save(totals: ReadonlyMap<string, number>): Promise<void> {
    const changed = [...totals].filter(([name, total]) => this.#saved.get(name) !== total);
    if (changed.length === 0) return;
    this.#database.transaction("kill", () => {
      for (const [name, total] of changed) {
        this.#database.run(
          "INSERT INTO counters (name, total) VALUES (?, ?) " +
            "ON CONFLICT (name) DO UPDATE SET total = excluded.total",
          name,
          total,
        );
      }
    });
    for (const [name, total] of changed) this.#saved.set(name, total);
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
      this.#database.run(
        "DELETE FROM history WHERE counter IN (SELECT id FROM counters) AND minute <= ?",
        minute - HISTORY_MINUTES,
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

  /** Within a transaction: a counter's number, under which its rows are kept. */
  #id(name: string): number {
    const row = this.#database.get("SELECT id FROM counters WHERE name = ?", name) ??
      this.#database.get("INSERT INTO counters (name) VALUES (?) RETURNING id", name);
    return row?.id as number;
  }
}
