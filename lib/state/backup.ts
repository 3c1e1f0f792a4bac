/** Backups of the state: copied while it is used, checked before they count as made, and never in the place of another file. */

import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { ExpectedError } from "../contracts/expected_error.ts";
import { copyPrivately } from "../files/copy_privately.ts";
import { fileErrorReason, isFileError } from "../files/file_error.ts";
import { syncFile } from "../files/sync_folder.ts";
import { checkIdentity, findDamage, peek, versionOf } from "./inspection.ts";
import { lendDigest } from "./sealed_tables.ts";
import { discard, makePrivate, putInPlace, type StateFile } from "./state_file.ts";
import { type BackupSource, StateStoreError } from "../contracts/state_store.ts";
import { stateTrouble } from "./state_trouble.ts";

/** What is in a backup, as it was counted when it was checked. */
export interface BackupContents {
  readonly users: number;
  readonly administrators: number;
  /** Octets of the file. */
  readonly octets: number;
}

/** A backup that was made. */
export interface Backup extends BackupContents {
  readonly path: string;
}

/** A backup cannot be made or used; the message is a sentence that names the file. */
export class BackupError extends ExpectedError {
  override name = "BackupError";
}

/** What a backup is made with. */
export interface BackupOptions {
  readonly source: BackupSource;
  /** Where it is kept; it must be there. */
  readonly folder: string;
  /** The file's name in it. */
  readonly name: string;
  /** Turns a copy into a file of its own and checks it; in a server, on a thread of its own. @default {finishCopy} */
  readonly finish?: (path: string, name: string) => BackupContents | Promise<BackupContents>;
  /** Ends it; what was copied is removed. */
  readonly signal?: AbortSignal;
}

/** A state that no server has, as a source of backups. It is not changed, and not brought to a newer version. */
export class StateAtRest implements BackupSource {
  readonly #file: StateFile;

  constructor(file: StateFile) {
    this.#file = file;
  }

  async copyTo(target: string): Promise<void> {
    const { log, logPresence, path } = this.#file;
    // Held meanwhile, so that no server moves one file into the other. Closing the second copy's source lets go of it.
    peek(this.#file, () => {
      if (logPresence === "present") copyPrivately(log, `${target}-wal`);
      copyPrivately(path, target);
    });
  }
}

/** In names of copies that are not finished. */
const UNFINISHED = ".unfinished-";
/** Milliseconds after which a copy that nobody wrote to was left by a kill. */
const LEFT_BEHIND = 60 * 60 * 1000;

/**
 * Makes a backup: a file of mode 0600 that is whole, checked, on the disk, and under a new name. When it fails, nothing is left.
 *
 * @throws {BackupError} when the file cannot be made
 * @throws {StateStoreError} when the state cannot be read
 */
export async function makeBackup(options: BackupOptions): Promise<Backup> {
  const { source, folder, name, finish = finishCopy, signal } = options;
  const path = join(folder, name);
  const copy = join(folder, `.${name}${UNFINISHED}${crypto.randomUUID()}`);
  try {
    removeLeftBehind(folder);
    if (exists(path)) throw new Deno.errors.AlreadyExists(path);
    makePrivate(copy);
    await source.copyTo(copy, signal);
    const contents = await finish(copy, path);
    signal?.throwIfAborted();
    putInPlace(copy, path);
    return { path, ...contents };
  } catch (error) {
    discard(copy);
    if (error instanceof StateStoreError || error instanceof BackupError) throw error;
    if (!isFileError(error) && !signal?.aborted) throw error;
    const reason = signal?.aborted ? "it was cancelled" : fileErrorReason(error);
    const text = error instanceof Deno.errors.AlreadyExists
      ? `${path} exists already; a backup never takes the place of another file`
      : `The backup ${path} could not be made: ${reason}`;
    throw new BackupError(text, { cause: error });
  }
}

/**
 * Turns a copy of a state's file, and of its log where there is one, into a file of its own, which was closed well and needs no other file
 * beside it; reads all of it, and syncs it.
 *
 * @param name what messages call it
 * @throws {BackupError} when it is not what was written, or cannot be used
 */
export function finishCopy(path: string, name: string): BackupContents {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    checkIdentity(database, name);
    const version = versionOf(database);
    if (version === 0) throw new BackupError(`${name} holds nothing: it is no backup of a state`);
    lendDigest(database);
    // Out of the log's mode, so that it can be read from a disk that takes no other file beside it.
    database.exec("PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE");
    const damage = findDamage(database, "everything");
    if (damage !== undefined) throw new BackupError(`The backup ${name} is damaged: ${damage}`);
    const contents = countContents(database, version);
    if (version > 1) database.exec("UPDATE header SET amount = 1 WHERE name = 'closed'");
    database.close();
    database = undefined;
    syncFile(path);
    return { ...contents, octets: Deno.statSync(path).size };
  } catch (error) {
    throw error instanceof BackupError || isFileError(error) ? error : unusable(error, name);
  } finally {
    database?.close();
  }
}

function countContents(
  database: DatabaseSync,
  version: number,
): Omit<BackupContents, "octets"> {
  const table = version > 1 ? "header" : "(SELECT kind AS name, amount FROM amounts)";
  const amount = (name: string): number =>
    Number(database.prepare(`SELECT amount FROM ${table} WHERE name = ?`).get(name)?.amount ?? 0);
  return { users: amount("user"), administrators: amount("administrator") };
}

/** What SQLite and the checks say of a state file, said of a backup. */
function unusable(error: unknown, name: string): BackupError {
  const { trouble, message } = stateTrouble(error, name);
  const text = trouble === "foreign"
    ? `${name} is no backup of a state`
    : trouble === "corrupt"
    ? `The backup ${name} is damaged`
    : message.replace("The state file", "The backup");
  return new BackupError(text, { cause: error });
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Removes what kills left of earlier backups. */
function removeLeftBehind(folder: string): void {
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.startsWith(".") || !name.includes(UNFINISHED)) continue;
    const path = join(folder, name);
    const { mtime } = Deno.lstatSync(path);
    if (mtime !== null && Date.now() - mtime.getTime() > LEFT_BEHIND) discard(path);
  }
}
