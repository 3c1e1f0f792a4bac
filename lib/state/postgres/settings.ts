/** The values that SET kept, and keys that logins taught, in a database. */

import type { SettingStore } from "../../contracts/state_store.ts";
import type { LearnedKeys, LearnedKeysStore } from "../../contracts/user_source.ts";
import type { Database } from "./database.ts";
import type { SignalWriter } from "./signals.ts";
import { numberOf, octetsOf } from "./values.ts";

/** Values that SET kept, in a database; other nodes hear of a change. */
export class PostgresSettings implements SettingStore {
  readonly #database: Database;
  readonly #signals: SignalWriter;

  constructor(database: Database, signals: SignalWriter) {
    this.#database = database;
    this.#signals = signals;
  }

  async all(): Promise<ReadonlyMap<string, string>> {
    const { rows } = await this.#database.query(
      "SELECT key, value FROM {setting} ORDER BY key",
      [],
      { repeatable: true },
    );
    return new Map(rows.map((row) => [String(row.key), String(row.value)]));
  }

  async set(key: string, value: string): Promise<void> {
    await this.#database.transaction(async (query) => {
      await query(
        "INSERT INTO {setting} VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [key, value],
      );
      await this.#signals.write(query, "settings", key);
    });
  }

  async delete(key: string): Promise<boolean> {
    return await this.#database.transaction(async (query) => {
      const { count } = await query("DELETE FROM {setting} WHERE key = $1", [key]);
      if (count > 0) await this.#signals.write(query, "settings", key);
      return count > 0;
    });
  }
}

/** Keys that logins taught of users in a passwd-file. */
export class PostgresLearnedKeys implements LearnedKeysStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async *list(): AsyncGenerator<LearnedKeys> {
    const page = 500;
    for (let last = "";;) {
      const { rows } = await this.#database.query(
        "SELECT * FROM {learned_key} WHERE name > $1 ORDER BY name LIMIT $2",
        [last, page],
        { repeatable: true },
      );
      for (const row of rows) {
        last = String(row.name);
        yield {
          name: last,
          fingerprint: String(row.fingerprint),
          salt: octetsOf(row.salt),
          iterations: numberOf(row.iterations),
          storedKey: octetsOf(row.stored_key),
          serverKey: octetsOf(row.server_key),
        };
      }
      if (rows.length < page) return;
    }
  }

  async put(keys: LearnedKeys): Promise<void> {
    const { name, fingerprint, salt, iterations, storedKey, serverKey } = keys;
    await this.#database.query(
      "INSERT INTO {learned_key} VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO UPDATE SET " +
        "fingerprint = excluded.fingerprint, salt = excluded.salt, iterations = excluded.iterations, " +
        "stored_key = excluded.stored_key, server_key = excluded.server_key",
      [name, fingerprint, salt, iterations, storedKey, serverKey],
      { repeatable: true },
    );
  }
}
