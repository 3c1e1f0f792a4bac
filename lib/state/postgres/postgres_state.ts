/** The state in a database (`--state postgres://…`), which several nodes share. */

import { delay } from "../../async/delay.ts";
import { type StateStore, StateStoreError } from "../../contracts/state_store.ts";
import { fileErrorReason } from "../../files/file_error.ts";
import { PostgresAccessLog } from "./access_log.ts";
import { PostgresAccounts } from "./accounts.ts";
import { PostgresAttempts } from "./attempts.ts";
import { PostgresCounters } from "./counters.ts";
import { Database } from "./database.ts";
import { PostgresInstallation } from "./installation.ts";
import { prepareSchema } from "./schema.ts";
import { PostgresLearnedKeys, PostgresSettings } from "./settings.ts";
import { SignalWriter } from "./signals.ts";
import { PostgresUserFields } from "./user_fields.ts";
import { type DatabasePlace, parseStateUrl } from "./state_url.ts";

/** Troubles that pass by themselves, so that a start waits for a while. */
const PASSING: readonly string[] = ["unreachable", "read-only", "busy"];
/** Milliseconds between two tries of a start. */
const RETRY_AFTER = 500;

/** How a state in a database is opened. */
export interface PostgresStateOptions {
  /** `postgres://…` */
  readonly url: string;
  readonly password: string | undefined;
  /** The name of this node; empty for a command that is none. @default "" */
  readonly node?: string;
  /** Milliseconds to wait for a database that is away. @default {0} */
  readonly wait?: number;
  /** Whether the tables may be made, or brought to the present version. @default "make" */
  readonly schema?: "make" | "read";
  /** Told once when a start has to wait. */
  readonly onWait?: (error: StateStoreError) => void;
  /** Told once when notes cannot be written; they stay noted and are tried again until they are. */
  readonly onTrouble?: (error: Error) => void;
  /** Told when notes can be written again, and how many were lost because too many waited. */
  readonly onRecovery?: (lost: number) => void;
}

/** Who is told how the database stands. */
export interface DatabaseWatcher {
  /** It is away from now on. */
  readonly away: (error: StateStoreError) => void;
  /** It is back. */
  readonly back: () => void;
}

/** The state in a database. */
export class PostgresState implements StateStore {
  readonly users: PostgresAccounts;
  readonly administrators: PostgresAccounts;
  readonly learned: PostgresLearnedKeys;
  readonly fields: PostgresUserFields;
  readonly settings: PostgresSettings;
  readonly accesses: PostgresAccessLog;
  readonly counters: PostgresCounters;
  readonly attempts: PostgresAttempts;
  readonly installation: PostgresInstallation;
  /** For what is kept beside it in the same database: nodes and locks. */
  readonly database: Database;
  readonly signals: SignalWriter;
  readonly #watchers: Set<DatabaseWatcher>;

  private constructor(
    database: Database,
    options: PostgresStateOptions,
    watchers: Set<DatabaseWatcher>,
  ) {
    this.#watchers = watchers;
    const { node = "", onTrouble = () => {}, onRecovery = () => {} } = options;
    this.database = database;
    this.signals = new SignalWriter(node);
    this.users = new PostgresAccounts(database, "user", this.signals);
    this.administrators = new PostgresAccounts(database, "administrator", this.signals);
    this.learned = new PostgresLearnedKeys(database);
    this.fields = new PostgresUserFields(database);
    this.settings = new PostgresSettings(database, this.signals);
    this.accesses = new PostgresAccessLog({ database, node, onTrouble, onRecovery });
    this.counters = new PostgresCounters(database, node);
    this.attempts = new PostgresAttempts(database, this.signals);
    this.installation = new PostgresInstallation(database);
  }

  /**
   * Connects, and makes the tables where there are none.
   *
   * @throws {StateStoreError} when the database cannot be used, saying why; nothing was changed then
   */
  static async open(options: PostgresStateOptions): Promise<PostgresState> {
    const place = readPlace(options.url);
    const watchers = new Set<DatabaseWatcher>();
    const database = await connect(place, options, watchers);
    try {
      await prepareSchema(database, place.schema, options.schema);
      const state = new PostgresState(database, options, watchers);
      state.signals.canNotify = await canNotify(database);
      return state;
    } catch (error) {
      await database[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Tells how the database stands from now on. */
  watch(watcher: DatabaseWatcher): void {
    this.#watchers.add(watcher);
  }

  /** Writes all notes, as far as they can be written now. */
  flush(): Promise<void> {
    return this.accesses.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    this.#watchers.clear();
    await this.database[Symbol.asyncDispose]();
  }
}

/** Reads the place. @throws {StateStoreError} */
function readPlace(url: string): DatabasePlace {
  try {
    return parseStateUrl(url);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new StateStoreError("unusable", `The state's URL is wrong: expected ${error.message}`);
  }
}

/** Connects, and waits for a database that is away. @throws {StateStoreError} */
async function connect(
  place: DatabasePlace,
  options: PostgresStateOptions,
  watchers: ReadonlySet<DatabaseWatcher>,
): Promise<Database> {
  const { node = "", password = "", wait = 0, onWait } = options;
  const authorities = readAuthorities(place.rootCertificate);
  const application = node === "" ? "postern" : `postern ${node}`;
  const end = performance.now() + wait;
  for (let tries = 1;; tries++) {
    try {
      return await Database.open({ place, password, authorities, application }, {
        away: (error) => watchers.forEach(({ away }) => away(error)),
        back: () => watchers.forEach(({ back }) => back()),
      });
    } catch (error) {
      if (!(error instanceof StateStoreError)) throw error;
      if (!PASSING.includes(error.trouble) || performance.now() + RETRY_AFTER >= end) throw error;
      if (tries === 1) onWait?.(error);
      await delay(RETRY_AFTER);
    }
  }
}

function readAuthorities(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    const text = `The certificate ${file} (sslrootcert in --state) cannot be read: ` +
      fileErrorReason(error);
    throw new StateStoreError("unusable", text, { cause: error });
  }
}

async function canNotify(database: Database): Promise<boolean> {
  try {
    await database.query("SELECT pg_notify('postern', '')");
    return true;
  } catch (error) {
    if (error instanceof StateStoreError && error.trouble === "unusable") return false;
    throw error;
  }
}
