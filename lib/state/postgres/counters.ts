/** Counters' totals and their history in a database: rows of this node's own, and sums of all. */

import type { CounterStore, HistoryRow, HourRow } from "../../contracts/record_store.ts";
import type { Database } from "./database.ts";
import { numberOf } from "./values.ts";

/** Counters of one node. */
export class PostgresCounters implements CounterStore {
  readonly #database: Database;
  readonly #node: string;
  /** This node's totals: nobody else writes its rows, so that a total can be written twice. */
  #totals: Map<string, number> | undefined;

  constructor(database: Database, node: string) {
    this.#database = database;
    this.#node = node;
  }

  async totals(): Promise<ReadonlyMap<string, number>> {
    return new Map(await this.#own());
  }

  async add(
    deltas: ReadonlyMap<string, number>,
    peaks: ReadonlyMap<string, number> = new Map(),
  ): Promise<void> {
    const totals = await this.#own();
    const changed = new Map<string, number>();
    for (const [name, delta] of deltas) changed.set(name, (totals.get(name) ?? 0) + delta);
    for (const [name, peak] of peaks) {
      if (peak > (totals.get(name) ?? 0)) changed.set(name, peak);
    }
    if (changed.size === 0) return;
    await this.#database.query(
      "INSERT INTO {counter} SELECT $1::text, u.name, u.total FROM unnest($2::text[], " +
        "$3::double precision[]) AS u (name, total) ON CONFLICT (node, name) DO UPDATE SET " +
        "total = excluded.total",
      [this.#node, [...changed.keys()], [...changed.values()]],
      { repeatable: true },
    );
    for (const [name, total] of changed) totals.set(name, total);
  }

  async append(
    minute: number,
    values: ReadonlyMap<string, number>,
    weights: ReadonlyMap<string, number> = new Map(),
  ): Promise<void> {
    const names = [...values.keys()];
    await this.#database.query(
      "INSERT INTO {history} SELECT $1::bigint, $2::text, u.name, u.value, u.weight FROM unnest($3::text[], " +
        "$4::double precision[], $5::double precision[]) AS u (name, value, weight) " +
        "ON CONFLICT (minute, node, name) DO UPDATE SET value = excluded.value, " +
        "weight = excluded.weight",
      [
        minute,
        this.#node,
        names,
        names.map((name) => values.get(name)! * (weights.get(name) ?? 1)),
        names.map((name) => weights.get(name) ?? null),
      ],
      { repeatable: true },
    );
  }

  async forgetBefore(minute: number): Promise<void> {
    await this.#database.query(
      "DELETE FROM {history} WHERE node = $1 AND minute < $2",
      [this.#node, minute],
      { repeatable: true },
    );
  }

  async move({ from, to }: { from: number; to: number }, by: number): Promise<void> {
    await this.#database.transaction(async (query) => {
      // By way of negative minutes, since a row may go where another one still is.
      await query(
        "UPDATE {history} SET minute = -(minute + $1) WHERE node = $2 AND minute BETWEEN $3 AND $4",
        [by, this.#node, from, to],
      );
      await query("DELETE FROM {history} WHERE node = $1 AND minute BETWEEN $2 AND $3", [
        this.#node,
        from + by,
        to + by,
      ]);
      await query("UPDATE {history} SET minute = -minute WHERE node = $1 AND minute < 0", [
        this.#node,
      ]);
    });
  }

  async *history(counter: string, since: number): AsyncGenerator<HistoryRow> {
    yield* await this.#rows("node = $3 AND", counter, since, [this.#node]);
  }

  async appendHour(hour: number, values: ReadonlyMap<string, number>): Promise<void> {
    await this.#database.query(
      "INSERT INTO {history_hour} SELECT $1::bigint, $2::text, u.name, u.value FROM unnest($3::text[], " +
        "$4::double precision[]) AS u (name, value) " +
        "ON CONFLICT (hour, node, name) DO UPDATE SET value = excluded.value",
      [hour, this.#node, [...values.keys()], [...values.values()]],
      { repeatable: true },
    );
  }

  async *hours(counter: string, since: number): AsyncGenerator<HourRow> {
    const { rows } = await this.#database.query(
      "SELECT hour, value FROM {history_hour} WHERE node = $1 AND name = $2 AND hour >= $3 ORDER BY hour",
      [this.#node, counter, since],
      { repeatable: true },
    );
    for (const row of rows) yield { hour: numberOf(row.hour), value: numberOf(row.value) };
  }

  async forgetHoursBefore(hour: number): Promise<void> {
    await this.#database.query(
      "DELETE FROM {history_hour} WHERE node = $1 AND hour < $2",
      [this.#node, hour],
      { repeatable: true },
    );
  }

  /** The sums of all other nodes, those that are gone included; of peaks, which are no sums, the highest. */
  async othersTotals(): Promise<ReadonlyMap<string, number>> {
    return await this.#read(
      "SELECT name, CASE WHEN name LIKE '%.peak' THEN max(total) ELSE sum(total) END AS total " +
        "FROM {counter} WHERE node <> $1 GROUP BY name",
      this.#node,
    );
  }

  /** The totals of another node. */
  async totalsOf(node: string): Promise<ReadonlyMap<string, number>> {
    return await this.#read("SELECT name, total FROM {counter} WHERE node = $1", node);
  }

  /** Raises what all nodes together had at once to at least this much. */
  async raiseFleetPeak(name: string, peak: number): Promise<void> {
    await this.#database.query(
      "INSERT INTO {counter} AS c VALUES ('*', $1, $2) ON CONFLICT (node, name) DO UPDATE SET " +
        "total = greatest(c.total, excluded.total)",
      [name, peak],
      { repeatable: true },
    );
  }

  /** A counter's rows as sums of all nodes, or of one. */
  async fleetHistory(
    counter: string,
    since: number,
    node: string | undefined,
  ): Promise<readonly HistoryRow[]> {
    return node === undefined
      ? await this.#rows("", counter, since, [])
      : await this.#rows("node = $3 AND", counter, since, [node]);
  }

  async #rows(
    where: string,
    counter: string,
    since: number,
    more: readonly unknown[],
  ): Promise<readonly HistoryRow[]> {
    const { rows } = await this.#database.query(
      "SELECT minute, sum(value) AS value, sum(weight) AS weight FROM {history} " +
        `WHERE ${where} name = $1 AND minute >= $2 GROUP BY minute ORDER BY minute`,
      [counter, since, ...more],
      { repeatable: true },
    );
    return rows.map((row) => {
      const weight = row.weight === null ? 1 : numberOf(row.weight);
      return {
        minute: numberOf(row.minute),
        value: weight === 0 ? 0 : numberOf(row.value) / weight,
      };
    });
  }

  async #own(): Promise<Map<string, number>> {
    if (this.#totals !== undefined) return this.#totals;
    const totals = await this.totalsOf(this.#node);
    return this.#totals ??= new Map(totals);
  }

  async #read(text: string, node: string): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.#database.query(text, [node], { repeatable: true });
    return new Map(rows.map((row) => [String(row.name), numberOf(row.total)]));
  }
}
