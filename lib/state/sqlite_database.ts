/** The state's SQLite file: opened, checked and brought to the present version, and held until it is closed. */

import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { dirname } from "node:path";
import { APPLICATION_ID, MIGRATIONS } from "./migrations.ts";
import { stateTrouble } from "./state_trouble.ts";
import { StateStoreError } from "./state_store.ts";

/** Larger files are not read through at the start; what is damaged in them shows when it is read. */
const MAX_CHECKED_OCTETS = 64 * 1024 * 1024;

/** A row as SQLite gives it. */
export type Row = Record<string, string | number | Uint8Array | null>;

/** How surely a transaction must be on the disk when it is done. */
export type Durability =
  /** It outlives a power cut: the file is synced. */
  | "power-cut"
  /** It outlives the end of this process; a power cut may take it back, whole. */
  | "kill";

/** The open file. Calls are synchronous and short; each throws {@linkcode StateStoreError}. */
export class SqliteDatabase {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #synced = true;

  private constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
  }

  /**
   * Opens a state file, or makes one that only its owner can read, and takes hold of it.
   *
   * @param path a file, or `:memory:`
   * @throws {StateStoreError} when the file is held by another process, no database, another program's, of a newer version,
   * damaged, or cannot be opened; nothing was changed then
   */
  static open(path: string): SqliteDatabase {
    if (path !== ":memory:") createFile(path);
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
      database.exec("PRAGMA locking_mode = EXCLUSIVE");
      checkIdentity(database, path);
      // The write-ahead log is entered under the exclusive hold, so no second process can read beside us.
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON");
      database.exec("BEGIN IMMEDIATE; COMMIT");
      checkWhole(database, path);
      migrate(database);
      return new SqliteDatabase(path, database);
    } catch (error) {
      database?.close();
      throw stateTrouble(error, path);
    }
  }

  /** Runs statements as one transaction: all of them take effect, or none. */
  transaction<T>(durability: Durability, body: () => T): T {
    try {
      this.#sync(durability === "power-cut");
      this.#database.exec("BEGIN IMMEDIATE");
      try {
        const result = body();
        this.#database.exec("COMMIT");
        return result;
      } catch (error) {
        // A full disk makes SQLite roll back by itself.
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
        throw error;
      }
    } catch (error) {
      throw stateTrouble(error, this.#path);
    }
  }

  /** The first row, or undefined. */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    try {
      return this.#prepare(sql).get(...values) as Row | undefined;
    } catch (error) {
      throw stateTrouble(error, this.#path);
    }
  }

  /** All rows; the statement bounds how many. */
  all(sql: string, ...values: SQLInputValue[]): readonly Row[] {
    try {
      return this.#prepare(sql).all(...values) as Row[];
    } catch (error) {
      throw stateTrouble(error, this.#path);
    }
  }

  /** Changes rows, within a transaction. Returns how many. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  /** Lets go of the file. */
  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }

  #sync(synced: boolean): void {
    if (synced === this.#synced) return;
    this.#database.exec(`PRAGMA synchronous = ${synced ? "FULL" : "NORMAL"}`);
    this.#synced = synced;
  }
}

/** Makes an empty file with mode 0600 where there is none. An existing one is not opened: closing it would drop locks on it. */
function createFile(path: string): void {
  try {
    Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    if (error instanceof Deno.errors.NotFound) {
      const text = `The state file ${path} cannot be made, because there is no folder ` +
        `${dirname(path)}. Make it, or name another file with --state`;
      throw new StateStoreError("unusable", text, { cause: error });
    }
    throw stateTrouble(new Error("unable to open", { cause: error }), path);
  }
}

/** Refuses another program's database and a newer version, before anything is written. */
function checkIdentity(database: DatabaseSync, path: string): void {
  const application = number(database, "PRAGMA application_id");
  const tables = number(database, "SELECT count(*) FROM sqlite_schema");
  const version = number(database, "PRAGMA user_version");
  if (application !== APPLICATION_ID && (application !== 0 || tables > 0 || version !== 0)) {
    const text = `The state file ${path} is a database of another program. ` +
      "Name another file with --state";
    throw new StateStoreError("foreign", text);
  }
  if (version > MIGRATIONS.length) {
    const text = `The state file ${path} has version ${version}, made by a newer Postern; this ` +
      `one knows versions up to ${MIGRATIONS.length}. Use the newer Postern, or name another ` +
      "file with --state";
    throw new StateStoreError("newer", text);
  }
}

function checkWhole(database: DatabaseSync, path: string): void {
  const octets = number(database, "PRAGMA page_count") * number(database, "PRAGMA page_size");
  if (octets > MAX_CHECKED_OCTETS) return;
  const [verdict] = Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {});
  if (verdict !== "ok") throw stateTrouble(new Error(`corrupt: ${verdict}`), path);
}

function migrate(database: DatabaseSync): void {
  const version = number(database, "PRAGMA user_version");
  if (version === MIGRATIONS.length) return;
  database.exec("BEGIN IMMEDIATE");
  for (const step of MIGRATIONS.slice(version)) database.exec(step);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  database.exec("COMMIT");
}

function number(database: DatabaseSync, sql: string): number {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0]);
}
