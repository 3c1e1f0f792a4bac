/** Keys that were learned for hashes of a passwd-file, in the state file. */

import type { LearnedKeys, LearnedKeysStore } from "../../contracts/user_source.ts";
import type { SqliteDatabase } from "./database.ts";

/** Learned keys in the state file. */
export class SqliteLearnedKeys implements LearnedKeysStore {
  readonly #database: SqliteDatabase;

  /** Makes the view on it. */
  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async *list(): AsyncGenerator<LearnedKeys> {
    const page = 500;
    for (let last = "";;) {
      const rows = this.#database.all(
        "SELECT * FROM learned_keys WHERE name > ? ORDER BY name LIMIT ?",
        last,
        page,
      );
      for (const row of rows) {
        last = row.name as string;
        yield {
          name: last,
          fingerprint: row.fingerprint as string,
          salt: row.salt as Uint8Array,
          iterations: row.iterations as number,
          storedKey: row.stored_key as Uint8Array,
          serverKey: row.server_key as Uint8Array,
        };
      }
      if (rows.length < page) return;
    }
  }

  async put(keys: LearnedKeys): Promise<void> {
    // What a power cut takes is learned again: waiting for the disk at each first login would cost more than the hash.
    this.#database.transaction("kill", () =>
      this.#database.run(
        // Not REPLACE, which deletes the row without calling the triggers that keep the table's seal.
        "INSERT INTO learned_keys VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET " +
          "fingerprint = excluded.fingerprint, salt = excluded.salt, iterations = excluded.iterations, " +
          "stored_key = excluded.stored_key, server_key = excluded.server_key",
        keys.name,
        keys.fingerprint,
        keys.salt,
        keys.iterations,
        keys.storedKey,
        keys.serverKey,
      ));
  }
}
