/** The state in one SQLite file (`--state FILE`). */

import { SqliteAccessLog } from "./access_log.ts";
import { SqliteAccounts } from "./accounts.ts";
import { SqliteAttempts } from "./attempts.ts";
import { SqliteCounters } from "./counters.ts";
import { SqliteDatabase } from "./database.ts";
import { SqliteInstallation } from "./installation.ts";
import { SqliteLearnedKeys } from "./learned_keys.ts";
import { SqliteUserFields } from "./user_fields.ts";
import { SqliteSettings } from "./settings.ts";
import {
  type BackupSource,
  type StateStore,
  StateStoreError,
} from "../../contracts/state_store.ts";

/** Notes written in one go: some milliseconds, for which logins wait. */
const NOTES_AT_ONCE = 250;

/** Milliseconds between two tries to write notes that could not be written. */
const RETRY_AFTER = 1000;

/** How a state file is opened. */
export interface SqliteStateOptions {
  /** A file, made where there is none, or `:memory:`. */
  readonly path: string;
  readonly newState?: boolean;
  readonly warn?: (sentence: string) => void;
  /** @default {Date.now} */
  readonly now?: () => number;
  /**
   * Least time between two writings of the access log's notes, in milliseconds: a note is written at once where it is quiet,
   * and notes that come quickly are written together.
   *
   * @default {50}
   */
  readonly flushAfter?: number;
  /** Told once when notes cannot be written; they stay noted and are tried again until they are. */
  readonly onTrouble?: (error: Error) => void;
  /** Told when notes can be written again, and how many were lost because too many waited. */
  readonly onRecovery?: (lost: number) => void;
}

/** The state in one SQLite file, held by this process alone until it is disposed. */
export class SqliteState implements StateStore, BackupSource {
  readonly users: SqliteAccounts;
  readonly administrators: SqliteAccounts;
  readonly learned: SqliteLearnedKeys;
  readonly fields: SqliteUserFields;
  readonly settings: SqliteSettings;
  readonly accesses: SqliteAccessLog;
  readonly counters: SqliteCounters;
  readonly attempts: SqliteAttempts;
  readonly installation: SqliteInstallation;
  readonly #database: SqliteDatabase;
  readonly #flushAfter: number;
  readonly #onTrouble: (error: Error) => void;
  readonly #onRecovery: (lost: number) => void;
  readonly #warn: (sentence: string) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When, by `performance.now()`, notes were last written. */
  #flushed = -Infinity;
  #closed = false;
  #failing = false;

  private constructor(database: SqliteDatabase, options: SqliteStateOptions) {
    const { now = Date.now, flushAfter = 50, warn = () => {} } = options;
    const { onTrouble = () => {}, onRecovery = () => {} } = options;
    this.#database = database;
    this.#flushAfter = flushAfter;
    this.#onTrouble = onTrouble;
    this.#onRecovery = onRecovery;
    this.#warn = warn;
    this.users = new SqliteAccounts(database, "user");
    this.administrators = new SqliteAccounts(database, "administrator");
    this.learned = new SqliteLearnedKeys(database);
    this.fields = new SqliteUserFields(database);
    this.settings = new SqliteSettings(database);
    this.accesses = new SqliteAccessLog({ database, now, noted: () => this.#noted() });
    this.counters = new SqliteCounters(database);
    this.attempts = new SqliteAttempts(database, now);
    this.installation = new SqliteInstallation(database);
  }

  /**
   * Opens a state file and takes hold of it.
   *
   * @throws {StateStoreError} when it cannot be used, saying why; nothing was changed then
   */
  static async open(options: SqliteStateOptions): Promise<SqliteState> {
    const { path, newState = false, warn = () => {} } = options;
    const database = SqliteDatabase.open(path, { newState, warn });
    try {
      return new SqliteState(database, options);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  async flush(): Promise<void> {
    this.accesses.flush();
  }

  copyTo(target: string, signal?: AbortSignal): Promise<void> {
    return this.#database.copyTo(target, signal);
  }

  /** Writes what is noted and lets go of the file. Never rejects: what could not be written is warned of. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    try {
      await this.flush();
    } catch (error) {
      const { pending } = this.accesses;
      this.#warn(`The last ${pending} records of the access log are lost. ${said(error)}`);
    }
    try {
      this.#database.close();
    } catch (error) {
      this.#warn(`The state was not closed well; the next start looks through it. ${said(error)}`);
    }
  }

  /**
   * A login is written at once (operations.md, "Watching it"), unless others were just now. A flush that is planned already takes
   * later notes with it: notes that never cease must not put it off.
   */
  #noted(): void {
    if (this.#timer !== undefined) return;
    this.#plan(Math.max(0, this.#flushed + this.#flushAfter - performance.now()));
  }

  /** Plans the next flush; one that fails is said and repeated, one that leaves notes goes on after a breath. */
  #plan(milliseconds: number = this.#flushAfter): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      try {
        const more = this.accesses.flush(NOTES_AT_ONCE);
        this.#flushed = performance.now();
        if (this.#failing) this.#onRecovery(this.accesses.takeLost());
        this.#failing = false;
        if (more) this.#plan(1);
      } catch (error) {
        if (!this.#failing) {
          this.#onTrouble(error instanceof Error ? error : new Error(String(error)));
        }
        this.#failing = true;
        this.#plan(RETRY_AFTER);
      }
    }, milliseconds);
    Deno.unrefTimer(this.#timer);
  }
}

/** What a person reads of trouble with the state; anything else is a fault of ours. */
function said(error: unknown): string {
  if (!(error instanceof StateStoreError)) throw error;
  return error.message;
}
