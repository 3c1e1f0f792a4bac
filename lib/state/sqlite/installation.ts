/** What belongs to the installation, in the state file. */

import type { SqliteDatabase } from "./database.ts";
import type { Installation, KeptRunning } from "../../contracts/state_store.ts";

/** What names of rows begin with that stand for a mail folder. */
const MAIL_FOLDER = "mail folder ";

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

  /** See {@linkcode Installation.mailFolders}. */
  // deno-lint-ignore require-await -- what is thrown must reject
  async mailFolders(): Promise<ReadonlySet<string>> {
    const rows = this.#database.all(
      "SELECT name FROM installation WHERE substr(name, 1, ?) = ?",
      MAIL_FOLDER.length,
      MAIL_FOLDER,
    );
    return new Set(rows.map(({ name }) => String(name).slice(MAIL_FOLDER.length)));
  }

  /** See {@linkcode Installation.keepMailFolder}. */
  // deno-lint-ignore require-await -- what is thrown must reject
  async keepMailFolder(path: string): Promise<void> {
    this.#database.transaction("power-cut", () => {
      this.#database.run(
        "INSERT INTO installation VALUES (?, 1) ON CONFLICT (name) DO NOTHING",
        MAIL_FOLDER + path,
      );
    });
  }

  /** See {@linkcode Installation.runningTime}. */
  // deno-lint-ignore require-await -- what is thrown must reject
  async runningTime(): Promise<KeptRunning | undefined> {
    const row = this.#database.get("SELECT value FROM installation WHERE name = 'running'");
    if (row === undefined) return undefined;
    const [id = "", running, wall] = String(row.value).split(" ");
    return { id, running: Number(running), wall: Number(wall) };
  }

  /** See {@linkcode Installation.keepRunningTime}. */
  // deno-lint-ignore require-await -- what is thrown must reject
  async keepRunningTime({ id, running, wall }: KeptRunning): Promise<void> {
    this.#database.transaction("kill", () => {
      this.#database.run(
        "INSERT INTO installation VALUES ('running', ?) " +
          "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        `${id} ${running} ${wall}`,
      );
    });
  }
}
