/** What is known of users besides their secrets, in a database. */

import type { UserFieldStore } from "../../contracts/state_store.ts";
import type { Database } from "./database.ts";

/** Fields of users in a database; every login asks it. */
export class PostgresUserFields implements UserFieldStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find(name: string): Promise<ReadonlyMap<string, string>> {
    const { rows } = await this.#database.query(
      "SELECT field, value FROM {user_field} WHERE name = $1",
      [name],
      { repeatable: true },
    );
    return new Map(rows.map((row) => [String(row.field), String(row.value)]));
  }

  async set(name: string, field: string, value: string | undefined): Promise<void> {
    if (value === undefined) {
      await this.#database.query(
        "DELETE FROM {user_field} WHERE name = $1 AND field = $2",
        [name, field],
        { repeatable: true },
      );
      return;
    }
    await this.#database.query(
      "INSERT INTO {user_field} VALUES ($1, $2, $3) " +
        "ON CONFLICT (name, field) DO UPDATE SET value = excluded.value",
      [name, field, value],
      { repeatable: true },
    );
  }

  async forget(name: string): Promise<void> {
    await this.#database.query("DELETE FROM {user_field} WHERE name = $1", [name], {
      repeatable: true,
    });
  }
}
