/** The values that SET kept, in the state file. */

import { peek, versionOf } from "../inspection.ts";
import type { SqliteDatabase } from "./database.ts";
import { StateFile } from "../state_file.ts";
import type { SettingStore } from "../../contracts/state_store.ts";

const ALL = "SELECT key, value FROM settings ORDER BY key";

/** Values that SET kept, in the state file. */
export class SqliteSettings implements SettingStore {
  readonly #database: SqliteDatabase;

  /** Makes the view on it. */
  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async all(): Promise<ReadonlyMap<string, string>> {
    const rows = this.#database.all(ALL);
    return new Map(rows.map((row) => [row.key as string, row.value as string]));
  }

  async set(key: string, value: string): Promise<void> {
    this.#database.transaction("power-cut", () =>
      this.#database.run(
        "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        key,
        value,
      ));
  }

  async delete(key: string): Promise<boolean> {
    return this.#database.transaction(
      "power-cut",
      () => this.#database.run("DELETE FROM settings WHERE key = ?", key) > 0,
    );
  }
}

/**
 * Reads the values that SET kept in a state file which no server holds, without making one where there is none, and without changing it.
 *
 * @param path a file, or `:memory:`, which keeps nothing
 * @returns texts by key (`max_users`)
 * @throws {StateStoreError} when the file is held by another process or cannot be used
 */
export async function readKeptSettings(path: string): Promise<ReadonlyMap<string, string>> {
  if (path === ":memory:") return new Map();
  const file = new StateFile(path);
  if (file.presence !== "present") return new Map();
  return peek(file, (database) => {
    if (versionOf(database) === 0) return new Map();
    const rows = database.prepare(ALL).all();
    return new Map(rows.map((row) => [String(row.key), String(row.value)]));
  });
}
