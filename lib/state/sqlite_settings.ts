/** The values that SET kept, in the state file. */

import type { SqliteDatabase } from "./sqlite_database.ts";
import type { SettingStore } from "./state_store.ts";

/** Values that SET kept, in the state file. */
export class SqliteSettings implements SettingStore {
  readonly #database: SqliteDatabase;

  /** Makes the view on it. */
  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /** See {@linkcode SettingStore.all}. */
  // deno-lint-ignore require-await -- what is thrown must reject
  async all(): Promise<ReadonlyMap<string, string>> {
    const rows = this.#database.all("SELECT key, value FROM settings ORDER BY key");
    return new Map(rows.map((row) => [row.key as string, row.value as string]));
  }

  /** See {@linkcode SettingStore.set}. */
  // deno-lint-ignore require-await -- what is thrown must reject
  async set(key: string, value: string): Promise<void> {
    this.#database.transaction("power-cut", () =>
      this.#database.run(
        "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        key,
        value,
      ));
  }

  /** See {@linkcode SettingStore.delete}. */
  // deno-lint-ignore require-await -- what is thrown must reject
  async delete(key: string): Promise<boolean> {
    return this.#database.transaction(
      "power-cut",
      () => this.#database.run("DELETE FROM settings WHERE key = ?", key) > 0,
    );
  }
}
