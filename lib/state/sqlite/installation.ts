/** What belongs to the installation, in the state file. */

import type { SqliteDatabase } from "./database.ts";
import type { Installation } from "../../contracts/state_store.ts";

/** What belongs to the installation, in the state file. */
export class SqliteInstallation implements Installation {
  readonly #database: SqliteDatabase;

  /** Makes the view on it. */
  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async secret(): Promise<Uint8Array> {
    const row = this.#database.get("SELECT value FROM installation WHERE name = 'secret'");
    return row?.value as Uint8Array;
  }

  async reserveSessions(count: number): Promise<number> {
    return this.#database.transaction("power-cut", () => {
      const row = this.#database.get(
        "UPDATE installation SET value = value + ? WHERE name = 'sessions' RETURNING value",
        count,
      );
      return row?.value as number - count + 1;
    });
  }
}
