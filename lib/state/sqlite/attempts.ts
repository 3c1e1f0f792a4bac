/** What login attempts led to, in the state file. */

import type { AttemptStore, BanChange, KeptBan } from "../../contracts/attempt_store.ts";
import type { SqliteDatabase } from "./database.ts";

/** What login attempts led to, in the state file. Lengths of time go by the wall clock, and are never longer than they were. */
export class SqliteAttempts implements AttemptStore {
  readonly isShared = false;
  readonly #database: SqliteDatabase;
  readonly #now: () => number;

  /** @param now milliseconds since 1970 */
  constructor(database: SqliteDatabase, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  async bans(): Promise<readonly KeptBan[]> {
    const now = this.#now();
    return this.#database.all("SELECT * FROM bans WHERE until > ? ORDER BY since, rowid", now)
      .map((row) => {
        const [since, until] = [row.since as number, row.until as number];
        return {
          kind: row.kind as string,
          target: row.target as string,
          // By a clock that was set back, it would not have begun yet.
          age: Math.max(0, now - since),
          left: Math.min(until - now, until - since),
          failures: row.failures as number,
        };
      });
  }

  /** See {@linkcode AttemptStore.change}. */
  // deno-lint-ignore require-await -- what is thrown must reject
  async change(changes: readonly BanChange[]): Promise<void> {
    const now = this.#now();
    this.#database.transaction("kill", () => {
      this.#database.run("DELETE FROM bans WHERE until <= ?", now);
      for (const { kind, target, ban } of changes) {
        this.#database.run("DELETE FROM bans WHERE kind = ? AND target = ?", kind, target);
        if (ban === undefined) continue;
        this.#database.run(
          "INSERT INTO bans (kind, target, since, until, failures) VALUES (?, ?, ?, ?, ?)",
          kind,
          target,
          Math.round(now - ban.age),
          Math.round(now + ban.left),
          ban.failures,
        );
      }
    });
  }

  async lastLogin(name: string): Promise<number | undefined> {
    const row = this.#database.get("SELECT at FROM login_times WHERE name = ?", name);
    return row === undefined ? undefined : Math.max(0, this.#now() - (row.at as number));
  }

  /** See {@linkcode AttemptStore.loggedIn}. */
  // deno-lint-ignore require-await -- what is thrown must reject
  async loggedIn(name: string, keep: number): Promise<void> {
    const now = this.#now();
    this.#database.transaction("kill", () => {
      this.#database.run("DELETE FROM login_times WHERE at <= ?", Math.round(now - keep));
      this.#database.run(
        "INSERT INTO login_times VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at",
        name,
        Math.round(now),
      );
    });
  }
}
