/** What belongs to the installation, in a database: all nodes have it in common. */

import type { Installation, KeptRunning } from "../../contracts/state_store.ts";
import type { Database } from "./database.ts";
import { numberOf } from "./values.ts";

/** What names of rows begin with that stand for a mail folder. */
const MAIL_FOLDER = "mail folder ";

/** What belongs to the installation, in a database. */
export class PostgresInstallation implements Installation {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async secret(): Promise<Uint8Array> {
    return Uint8Array.fromHex((await this.#value("secret"))!);
  }

  /** May leave numbers out: it is repeated where it is not known whether it was done. */
  async reserveSessions(count: number): Promise<number> {
    const { rows } = await this.#database.query(
      "UPDATE {installation} SET value = (value::bigint + $1)::text WHERE name = 'sessions' " +
        "RETURNING value",
      [count],
      { repeatable: true },
    );
    return numberOf(rows[0]?.value) - count + 1;
  }

  async mailFolders(): Promise<ReadonlySet<string>> {
    const { rows } = await this.#database.query(
      `SELECT name FROM {installation} WHERE left(name, ${MAIL_FOLDER.length}) = $1`,
      [MAIL_FOLDER],
      { repeatable: true },
    );
    return new Set(rows.map(({ name }) => String(name).slice(MAIL_FOLDER.length)));
  }

  async keepMailFolder(path: string): Promise<void> {
    await this.#database.query(
      "INSERT INTO {installation} VALUES ($1, '1') ON CONFLICT DO NOTHING",
      [MAIL_FOLDER + path],
      { repeatable: true },
    );
  }

  async runningTime(): Promise<KeptRunning | undefined> {
    const value = await this.#value("running");
    if (value === undefined) return undefined;
    const [id = "", running, wall] = value.split(" ");
    return { id, running: Number(running), wall: Number(wall) };
  }

  /** Every node keeps it; the one that has counted the most is believed. */
  async keepRunningTime({ id, running, wall }: KeptRunning): Promise<void> {
    await this.#database.query(
      "INSERT INTO {installation} AS i VALUES ('running', $1) ON CONFLICT (name) DO UPDATE SET " +
        "value = excluded.value WHERE split_part(i.value, ' ', 1) <> $2 OR " +
        "split_part(i.value, ' ', 2)::double precision < $3",
      [`${id} ${running} ${wall}`, id, running],
      { repeatable: true },
    );
  }

  async #value(name: string): Promise<string | undefined> {
    const { rows } = await this.#database.query(
      "SELECT value FROM {installation} WHERE name = $1",
      [name],
      { repeatable: true },
    );
    return rows[0]?.value as string | undefined;
  }
}
