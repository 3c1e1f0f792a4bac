/** What login attempts led to, in a database: every node knows it, by the database's clock. */

import type { AttemptStore, BanChange, KeptBan } from "../../contracts/attempt_store.ts";
import type { Database } from "./database.ts";
import type { SignalWriter } from "./signals.ts";
import { numberOf } from "./values.ts";

/** SQL for a moment so many milliseconds from now. */
const fromNow = (parameter: string): string =>
  `now() + ${parameter}::double precision * interval '1 millisecond'`;

/** What login attempts led to, in a database. */
export class PostgresAttempts implements AttemptStore {
  readonly isShared = true;
  readonly #database: Database;
  readonly #signals: SignalWriter;

  constructor(database: Database, signals: SignalWriter) {
    this.#database = database;
    this.#signals = signals;
  }

  async bans(): Promise<readonly KeptBan[]> {
    const { rows } = await this.#database.query(
      "SELECT kind, target, failures, extract(epoch FROM now() - since) * 1000 AS age, " +
        "extract(epoch FROM until - now()) * 1000 AS remains FROM {ban} " +
        "WHERE until > now() ORDER BY since, kind, target",
      [],
      { repeatable: true },
    );
    return rows.map((row) => ({
      kind: String(row.kind),
      target: String(row.target),
      age: Math.max(0, numberOf(row.age)),
      left: numberOf(row.remains),
      failures: numberOf(row.failures),
    }));
  }

  async change(changes: readonly BanChange[]): Promise<void> {
    if (changes.length === 0) return;
    const last = new Map(changes.map((each) => [`${each.kind} ${each.target}`, each]));
    await this.#database.transaction(async (query) => {
      await query("DELETE FROM {ban} WHERE until <= now()");
      for (const { kind, target, ban } of last.values()) {
        if (ban === undefined) {
          await query("DELETE FROM {ban} WHERE kind = $1 AND target = $2", [kind, target]);
          continue;
        }
        await query(
          `INSERT INTO {ban} VALUES ($1, $2, ${fromNow("-1 * $3")}, ${fromNow("$4")}, $5) ` +
            "ON CONFLICT (kind, target) DO UPDATE SET since = excluded.since, " +
            "until = excluded.until, failures = excluded.failures",
          [kind, target, ban.age, ban.left, ban.failures],
        );
      }
      await this.#signals.write(query, "bans", "");
    });
  }

  async lastLogin(name: string): Promise<number | undefined> {
    const { rows } = await this.#database.query(
      "SELECT extract(epoch FROM now() - at) * 1000 AS ago FROM {login_time} WHERE name = $1",
      [name],
      { repeatable: true },
    );
    return rows[0] === undefined ? undefined : Math.max(0, numberOf(rows[0].ago));
  }

  async loggedIn(name: string, keep: number): Promise<void> {
    await this.#database.query(
      `WITH old AS (DELETE FROM {login_time} WHERE at <= ${fromNow("-1 * $2")} AND name <> $1) ` +
        "INSERT INTO {login_time} VALUES ($1, now()) ON CONFLICT (name) DO UPDATE SET at = now()",
      [name, keep],
      { repeatable: true },
    );
  }
}
