/** Looks at a state file before it is used: whether it is Postern's, of a version that is known, and what was written. */

import { DatabaseSync } from "node:sqlite";
import { APPLICATION_ID, MIGRATIONS, sealedIn } from "./sqlite/migrations.ts";
import { brokenSeal, lendDigest } from "./sealed_tables.ts";
import { discard, type StateFile } from "./state_file.ts";
import { damaged, stateTrouble } from "./state_trouble.ts";
import { StateStoreError } from "../contracts/state_store.ts";

const MIB = 1024 * 1024;
/** Larger files are not read through at each start (4 ms a MiB); what is damaged in them shows when it is read. */
const MOST_CHECKED_ALWAYS = 64 * MIB;
/** Nor are these after a kill or a power cut, but for what must not be lost. */
const MOST_CHECKED_AFTER_CRASH = 256 * MIB;
/** The first version whose files are sealed. */
const FIRST_SEALED = 2;

/** How the last process that had a file left it. */
export type LastEnd =
  /** Well: the file is all there is. */
  | "closed"
  /** By a kill or a power cut. */
  | "crashed"
  /** A version that did not note it. */
  | "unknown";

/** How much of a file is read. */
export type Depth = "start" | "everything";

/**
 * Tells what is wrong with the state's files as they lie on the disk, as far as that shows without opening them for good. Nothing is changed.
 *
 * @returns undefined when nothing is wrong, or there is no file
 * @throws {StateStoreError} when the file is held, not Postern's, of a newer version, or cannot be read
 */
export function lookAtFiles(file: StateFile): StateStoreError | undefined {
  const { name, presence, logPresence } = file;
  if (presence === "absent" && logPresence !== "absent") {
    const text =
      `There is no state file ${name}, but ${name}-wal, which belongs to one, is there: ` +
      `the file was moved or deleted. Put it back, put back a backup with postern restore FILE, ` +
      "or start once with --new-state, which begins without users";
    return new StateStoreError("corrupt", text);
  }
  if (presence === "empty") return nothingInIt(name);
  if (presence !== "present" || logPresence !== "present") return undefined;
  try {
    peek(file, (database) => refuseDamage(database, name));
    return undefined;
  } catch (error) {
    if (error instanceof StateStoreError && error.trouble === "corrupt") return error;
    throw error;
  }
}

/**
 * Reads from a file, and from its log, while no other process has it. Neither is changed.
 *
 * @throws {StateStoreError} when the file is held, not Postern's, of a newer version, damaged, or cannot be read
 */
export function peek<T>(file: StateFile, read: (database: DatabaseSync) => T): T {
  const index = `${file.path}-shm`;
  const hadIndex = file.hasIndex;
  // Whoever may write moves the log's changes into the file when closing it; without a log there are none, and writing leaves less behind.
  const readOnly = file.logPresence === "present";
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file.path, { readOnly, timeout: 0 });
    if (!readOnly) database.exec("PRAGMA locking_mode = EXCLUSIVE");
    checkIdentity(database, file.name);
    return read(database);
  } catch (error) {
    throw stateTrouble(error, file.name);
  } finally {
    database?.close();
    if (readOnly && !hadIndex) discard(index);
  }
}

/**
 * Refuses another program's database and a newer version; only reads.
 *
 * @throws {StateStoreError}
 */
export function checkIdentity(database: DatabaseSync, path: string): void {
  const application = pragma(database, "application_id");
  const version = versionOf(database);
  const tables = Number(
    database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()?.tables,
  );
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

/** The error about a file without content. */
export function nothingInIt(name: string): StateStoreError {
  const text = `The state file ${name} is empty: it was truncated, or made by hand. Put back a ` +
    "backup with postern restore FILE, or start once with --new-state, which begins without users";
  return new StateStoreError("empty", text);
}

/** A file's version; 0 before anything was written. */
export function versionOf(database: DatabaseSync): number {
  return pragma(database, "user_version");
}

/** How the last process that had the file left it, as the file itself says. */
export function lastEnd(database: DatabaseSync): LastEnd {
  if (versionOf(database) < FIRST_SEALED) return "unknown";
  const row = database.prepare("SELECT amount FROM header WHERE name = 'closed'").get();
  return row?.amount === 1 ? "closed" : "crashed";
}

/**
 * Compares a file with its header, and reads it through; `start` leaves out of large files what would make starts slow.
 *
 * @returns what is wrong with it, or undefined
 * @throws {Error} of SQLite, when the file cannot be read
 */
export function findDamage(database: DatabaseSync, depth: Depth): string | undefined {
  const octets = pragma(database, "page_count") * pragma(database, "page_size");
  const end = lastEnd(database);
  const most = depth === "everything"
    ? Infinity
    : end === "closed"
    ? MOST_CHECKED_ALWAYS
    : MOST_CHECKED_AFTER_CRASH;
  const sealed = sealedIn(versionOf(database));
  const parts = octets <= most ? [""] : end === "closed" ? [] : sealed.map(({ table }) => table);
  for (const part of parts) {
    const [verdict] = Object.values(
      database.prepare(`PRAGMA quick_check(${part === "" ? "1" : part})`).get() ?? {},
    );
    if (verdict !== "ok") return String(verdict).split("\n")[0]!;
  }
  if (sealed.length === 0) return undefined;
  lendDigest(database);
  const broken = brokenSeal(database, sealed);
  if (broken === undefined) return undefined;
  const { name, expected, found } = broken;
  const what = KINDS[name] ?? name;
  return expected === found
    ? `the checksum of its ${what} is wrong`
    : `it should hold ${expected} ${what} and holds ${found}`;
}

/**
 * Refuses a file that is not what was written, before it is used.
 *
 * @throws {StateStoreError} `corrupt`, saying what is wrong
 */
export function refuseDamage(database: DatabaseSync, path: string): void {
  const damage = findDamage(database, "start");
  if (damage !== undefined) throw new StateStoreError("corrupt", damaged(path, damage));
}

/** What a person calls the rows that the header counts. */
const KINDS: Readonly<Record<string, string>> = {
  user: "users",
  administrator: "administrators",
  app_passwords: "app passwords",
  learned_keys: "learned keys",
  user_fields: "settings of users",
  installation: "values of the installation",
};

function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}
