/** What is known of users besides their secrets, in the state file. */

import type { UserFieldStore } from "../../contracts/state_store.ts";
import type { SqliteDatabase } from "./database.ts";

const NO_FIELDS: ReadonlyMap<string, string> = new Map();

/** Fields of users in the state file. */
export class SqliteUserFields implements UserFieldStore {
  readonly #database: SqliteDatabase;
  /** Whether nobody has any: nobody else writes to the file. */
  #isEmpty: boolean | undefined;

  /** Makes the view on it. */
  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async find(name: string): Promise<ReadonlyMap<string, string>> {
    this.#isEmpty ??= this.#database.get("SELECT 1 AS one FROM user_fields LIMIT 1") === undefined;
    if (this.#isEmpty) return NO_FIELDS;
    const rows = this.#database.all("SELECT field, value FROM user_fields WHERE name = ?", name);
    return new Map(rows.map((row) => [row.field as string, row.value as string]));
  }

  async set(name: string, field: string, value: string | undefined): Promise<void> {
    this.#change(() => {
      if (value === undefined) {
        this.#database.run("DELETE FROM user_fields WHERE name = ? AND field = ?", name, field);
      } else {
        this.#database.run(
          "INSERT INTO user_fields VALUES (?, ?, ?) " +
            "ON CONFLICT (name, field) DO UPDATE SET value = excluded.value",
          name,
          field,
          value,
        );
      }
    });
  }

  async forget(name: string): Promise<void> {
    this.#change(() => this.#database.run("DELETE FROM user_fields WHERE name = ?", name));
  }

  #change(work: () => void): void {
    this.#isEmpty = undefined;
    this.#database.transaction("power-cut", work);
  }
}
