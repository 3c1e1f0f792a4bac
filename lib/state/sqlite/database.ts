/** The state's SQLite file while it is held: transactions, rows, copies. */

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { isFileError } from "../../files/file_error.ts";
import { note, openInMemory, type OpenOptions, openStateFile, settle } from "../opening.ts";
import { makePrivate, StateFile } from "../state_file.ts";
import { StateStoreError } from "../../contracts/state_store.ts";
import { stateTrouble } from "../state_trouble.ts";

/** A row as SQLite gives it. */
export type Row = Record<string, string | number | Uint8Array | null>;

/** How surely a transaction must be on the disk when it is done. */
export type Durability =
  /** It outlives a power cut, and the loss of the write-ahead log: it is in the file itself. */
  | "power-cut"
  /** It outlives the end of this process; a power cut may take it back, whole. */
  | "kill";

/** SQLite's own: so many pages of the log are moved into the file at a time. */
const LOG_PAGES = 1000;
/** Octets that a copy moves at a time. */
const CHUNK = 1024 * 1024;

/** The open file. Calls are synchronous and short; each throws {@linkcode StateStoreError}. */
export class SqliteDatabase {
  readonly #path: string;
  /** Absent for `:memory:`. */
  readonly #file: StateFile | undefined;
  readonly #database: DatabaseSync;
  readonly #warn: (sentence: string) => void;
  readonly #statements = new Map<string, StatementSync>();
  #synced = true;
  /** Whether changes that must not be lost are in the write-ahead log alone. */
  #unsettled = false;
  /**
   * For copies; closed after the database, since closing any descriptor of the file drops the hold on it. For the same reason it is read
   * by synchronous calls: the runtime's others duplicate the descriptor, and close that.
   */
  #reader: Deno.FsFile | undefined;
  #copying = false;
  #closed = false;

  private constructor(
    path: string,
    file: StateFile | undefined,
    database: DatabaseSync,
    warn: (sentence: string) => void,
  ) {
    this.#path = path;
    this.#file = file;
    this.#database = database;
    this.#warn = warn;
    // Else the runtime closes what it lets fall, and SQLite removes the log of a file that is not noted as closed.
    if (file !== undefined) globalThis.addEventListener("unload", this.#closeAtExit);
  }

  /**
   * Opens a state file, or makes one that only its owner can read, and takes hold of it.
   *
   * @param path a file, or `:memory:`
   * @throws {StateStoreError} when the file is held by another process, no database, another program's, of a newer version, empty,
   * damaged, or cannot be opened; nothing was changed then
   */
  static open(path: string, options: OpenOptions = {}): SqliteDatabase {
    const { warn = () => {} } = options;
    try {
      if (path === ":memory:") return new SqliteDatabase(path, undefined, openInMemory(), warn);
      const file = new StateFile(path);
      return new SqliteDatabase(path, file, openStateFile(file, options), warn);
    } catch (error) {
      throw stateTrouble(error, path);
    }
  }

  /** Runs statements as one transaction: all of them take effect, or none. */
  transaction<T>(durability: Durability, body: () => T): T {
    try {
      this.#sync(durability === "power-cut");
      this.#database.exec("BEGIN IMMEDIATE");
      let result: T;
      try {
        result = body();
        // On the header's page: with it in every log, a log of another time shows.
        this.run("UPDATE header SET amount = amount + 1 WHERE name = 'transactions'");
        this.#database.exec("COMMIT");
      } catch (error) {
        // A full disk makes SQLite roll back by itself.
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
        throw error;
      }
      if (durability === "power-cut" || this.#unsettled) this.#settle();
      return result;
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

  /**
   * Copies all that is in the file at this moment, while others go on to change it: their changes wait in the write-ahead log.
   *
   * @param target an empty file
   * @param signal ends it
   * @throws {StateStoreError} when there is no file, or a copy is under way, or the file cannot be read
   * @throws {Error} when the target cannot be written, or the signal is aborted
   */
  async copyTo(target: string, signal?: AbortSignal): Promise<void> {
    if (this.#file === undefined) {
      const text = "The state is in memory (--state :memory:), so that there is nothing to copy";
      throw new StateStoreError("unusable", text);
    }
    if (this.#copying) throw new StateStoreError("unusable", "A backup is being made already");
    this.#copying = true;
    try {
      settle(this.#database);
      this.#database.exec("PRAGMA wal_autocheckpoint = 0");
      this.#reader ??= Deno.openSync(this.#file.path);
    } catch (error) {
      this.#copied();
      throw stateTrouble(error, this.#path);
    }
    try {
      this.#reader.seekSync(0, Deno.SeekMode.Start);
      using file = await Deno.open(target, { write: true });
      const buffer = new Uint8Array(CHUNK);
      for (;;) {
        if (this.#closed) {
          throw new StateStoreError("unusable", "The server ends; no backup was made");
        }
        signal?.throwIfAborted();
        const octets = this.#reader.readSync(buffer);
        if (octets === null) break;
        for (let at = 0; at < octets;) at += await file.write(buffer.subarray(at, octets));
      }
      await file.sync();
    } finally {
      this.#copied();
    }
  }

  /**
   * Lets go of the file, which has everything then.
   *
   * @throws {StateStoreError} when that could not be written; the file is let go all the same, and its log keeps what it lacks
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    globalThis.removeEventListener("unload", this.#closeAtExit);
    this.#statements.clear();
    let failure: unknown;
    try {
      if (this.#file !== undefined) note(this.#database, "closed");
    } catch (error) {
      failure = error;
    }
    this.#database.close();
    if (!this.#copying) this.#reader?.close();
    if (failure === undefined) return;
    this.#keepLog();
    throw stateTrouble(failure, this.#path);
  }

  /** The process ends by an error or a second signal; nobody is left to hear what else goes wrong. */
  readonly #closeAtExit = (): void => {
    try {
      this.close();
    } catch (error) {
      if (!(error instanceof StateStoreError)) throw error;
    }
  };

  /**
   * SQLite removes a log whose changes it could bring into the file; but a file that is not noted as closed must have one beside it, or it
   * looks as if the log were lost.
   */
  #keepLog(): void {
    try {
      if (this.#file?.logPresence === "absent") makePrivate(this.#file.log);
    } catch (error) {
      if (!isFileError(error)) throw error;
      // Then the next start asks to take the state as it is, which is all there was.
    }
  }

  #copied(): void {
    this.#copying = false;
    if (this.#closed) return this.#reader?.close();
    this.#database.exec(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
    if (this.#unsettled) this.#settle();
  }

  /** What cannot be moved into the file now is safe in its log, and is moved later. */
  #settle(): void {
    if (this.#file === undefined) return;
    if (this.#copying) {
      this.#unsettled = true;
      return;
    }
    try {
      settle(this.#database);
      this.#unsettled = false;
    } catch (error) {
      const { message } = stateTrouble(error, this.#path);
      if (!this.#unsettled) this.#warn(`Changes stay in the write-ahead log for now: ${message}`);
      this.#unsettled = true;
    }
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
