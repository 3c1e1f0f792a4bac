/** Opens a state file for good: checks it, takes hold of it, brings it to the present version, and makes it where there is none. */

import { DatabaseSync } from "node:sqlite";
import { dirname } from "node:path";
import { syncFolder } from "../files/sync_folder.ts";
import {
  checkIdentity,
  lastEnd,
  lookAtFiles,
  nothingInIt,
  refuseDamage,
  versionOf,
} from "./inspection.ts";
import { APPLICATION_ID, MIGRATIONS } from "./sqlite/migrations.ts";
import { lendDigest } from "./sealed_tables.ts";
import { discard, makePrivate, type StateFile } from "./state_file.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import { stateTrouble } from "./state_trouble.ts";

/** How a file is opened. */
export interface OpenOptions {
  /**
   * Whether a file that is empty or damaged is set aside, and a new state begun.
   *
   * @default {false}
   */
  readonly newState?: boolean;
  /** Told what is unwise, and what was done, as sentences. */
  readonly warn?: (sentence: string) => void;
}

/**
 * Opens a file, or makes one that only its owner can read, and takes hold of it until the connection is closed.
 *
 * @throws {StateStoreError} when the file is held by another process, no database, another program's, of a newer version, empty, damaged, or
 * cannot be opened; nothing was changed then
 */
export function openStateFile(file: StateFile, options: OpenOptions = {}): DatabaseSync {
  const { newState = false, warn = () => {} } = options;
  const others = file.tighten();
  if (others !== undefined) warn(others);
  const was = file.presence;
  try {
    const trouble = lookAtFiles(file);
    if (trouble !== undefined) throw trouble;
    if (was === "absent") make(file);
    const database = hold(file);
    if (newState && was !== "absent") {
      warn(`The state file ${file.name} is sound and is used as it is. Leave --new-state out`);
    }
    return database;
  } catch (error) {
    const trouble = stateTrouble(error, file.name);
    // SQLite says the same of a disk that cannot read, which nobody should take for a reason to give up the file.
    if (trouble.trouble === "corrupt") file.readThrough();
    const isCurable = trouble.trouble === "corrupt" || trouble.trouble === "empty";
    if (!newState || !isCurable) throw trouble;
    return beginAnew(file, trouble, warn);
  }
}

/** An empty state in memory. */
export function openInMemory(): DatabaseSync {
  const database = connect(":memory:");
  migrate(database);
  return database;
}

/** Brings all changes from the write-ahead log into the file, and empties the log. */
export function settle(database: DatabaseSync): void {
  const { busy } = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() ?? {};
  if (busy !== 0) throw new Error("database is locked");
}

/** Notes in the file whether whoever has it is at work, or has left it well; the file says so without its log. */
export function note(database: DatabaseSync, state: "open" | "closed"): void {
  database.exec(
    "PRAGMA synchronous = FULL; BEGIN IMMEDIATE; " +
      `UPDATE header SET amount = ${state === "closed" ? 1 : 0} WHERE name = 'closed'; COMMIT`,
  );
  settle(database);
}

function beginAnew(
  file: StateFile,
  { trouble, message }: StateStoreError,
  warn: (sentence: string) => void,
): DatabaseSync {
  if (trouble === "empty") {
    // In its place, which may be all that a container shares with the machine.
    build(file.path);
    warn(`The state file ${file.name} was empty. A new state begins in it, without users`);
  } else {
    const kept = file.setAside("damaged");
    make(file);
    const [what] = message.split(". ");
    warn(`${what}. It is kept as ${kept}. A new state begins, without users`);
  }
  return hold(file);
}

/** Makes the file, unless another process has just done so. */
function make(file: StateFile): void {
  try {
    file.create((path) => {
      makePrivate(path);
      build(path);
    });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

function build(path: string): void {
  const database = connect(path);
  try {
    migrate(database);
  } finally {
    database.close();
  }
}

function connect(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
  lendDigest(database);
  return database;
}

function hold(file: StateFile): DatabaseSync {
  const log = file.logPresence;
  let database: DatabaseSync | undefined;
  try {
    database = connect(file.path);
    // Taken first: nobody else reads or writes from here on.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    checkIdentity(database, file.name);
    if (versionOf(database) === 0) throw nothingInIt(file.name);
    database.exec("BEGIN EXCLUSIVE; COMMIT");
    if (log === "absent" && lastEnd(database) === "crashed") throw logMissing(file.name);
    // With a log, it was read through before.
    if (log !== "present") refuseDamage(database, file.name);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON");
    migrate(database);
    note(database, "open");
    syncFolder(dirname(file.path));
    // The index of a log that others read beside each other, as the look before did.
    discard(`${file.path}-shm`);
    file.removeUnfinished("new");
    return database;
  } catch (error) {
    database?.close();
    throw error;
  }
}

function migrate(database: DatabaseSync): void {
  const version = versionOf(database);
  if (version === MIGRATIONS.length) return;
  database.exec("BEGIN IMMEDIATE");
  for (const step of MIGRATIONS.slice(version)) database.exec(step);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  database.exec("COMMIT");
}

function logMissing(name: string): StateStoreError {
  const text = `The state file ${name} was in use when its server ended, and ${name}-wal, which ` +
    "belongs to it, is missing: the last changes may be lost. Put that file back, put back a backup " +
    `with postern restore FILE, or take the state as it is with postern restore ${name}`;
  return new StateStoreError("corrupt", text);
}
