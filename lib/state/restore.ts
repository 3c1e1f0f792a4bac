/** Puts a backup in the place of a state: checked first, in one step that no kill can halve, and with what was there kept beside it. */

import { DatabaseSync } from "node:sqlite";
import { dirname } from "node:path";
import { copyPrivately } from "../files/copy_privately.ts";
import { fileErrorReason, isFileError, isNotFound } from "../files/file_error.ts";
import { syncFile, syncFolder } from "../files/sync_folder.ts";
import { type BackupContents, BackupError, finishCopy } from "./backup.ts";
import { lastEnd, lookAtFiles, peek, refuseDamage } from "./inspection.ts";
import { note, settle } from "./opening.ts";
import { lendDigest } from "./sealed_tables.ts";
import { discard, type Presence, putInPlace, renameIfThere, StateFile } from "./state_file.ts";
import { StateStoreError } from "../contracts/state_store.ts";

/** How a restore ended. */
export interface Restored extends BackupContents {
  /** Where what was there is kept; undefined where there was nothing. */
  readonly kept: string | undefined;
}

/**
 * Puts a backup in the place of a state file. At every moment there is either all that was there, or all of the backup.
 *
 * @param from the backup; or the state file itself, which is taken as it is then
 * @param to the state file
 * @throws {BackupError} when the backup cannot be used, or cannot be put in place; nothing was changed then
 * @throws {StateStoreError} when a server holds the state, or what is there is not Postern's
 */
export function restoreBackup(from: string, to: string): Restored {
  const state = new StateFile(to);
  const copy = state.unfinished("restore");
  try {
    const isSound = look(state);
    state.removeUnfinished("restore");
    copyBackup(from, copy);
    const contents = finishCopy(copy, from);
    return { ...contents, kept: isSound ? exchange(state, copy) : supplant(state, copy) };
  } catch (error) {
    if (error instanceof BackupError || error instanceof StateStoreError) throw error;
    if (!isFileError(error)) throw error;
    const text = `${from} could not be restored to ${to}: ${fileErrorReason(error)}`;
    throw new BackupError(text, { cause: error });
  } finally {
    discard(copy);
  }
}

/**
 * Finds out whether there is a state that a server could start with.
 *
 * @throws {StateStoreError} when a server has it, or it is nothing that may be replaced
 */
function look(state: StateFile): boolean {
  if (state.presence === "absent") return false;
  try {
    // Asked of a file that is empty or damaged, too: a server may have it nonetheless.
    peek(state, () => undefined);
    if (lookAtFiles(state) !== undefined) return false;
    const log = state.logPresence;
    return peek(state, (database) => {
      refuseDamage(database, state.name);
      return log !== "absent" || lastEnd(database) !== "crashed";
    });
  } catch (error) {
    if (!(error instanceof StateStoreError)) throw error;
    const isDamaged = error.trouble === "corrupt" || error.trouble === "empty" ||
      (error.cause instanceof Error && /not a database/.test(error.cause.message));
    if (isDamaged) return false;
    throw error;
  }
}

function copyBackup(from: string, copy: string): void {
  const backup = new StateFile(from);
  const presence = presenceOf(backup);
  if (presence === "absent") throw new BackupError(`There is no backup ${from}`);
  if (presence === "empty") throw new BackupError(`${from} is empty: it is no backup of a state`);
  if (backup.logPresence === "present") {
    try {
      peek(backup, () => undefined);
    } catch (error) {
      if (!(error instanceof StateStoreError) || error.trouble !== "held") throw error;
      throw new BackupError(
        `${from} is in use by a server: make a backup of it with postern backup`,
        { cause: error },
      );
    }
    copyPrivately(backup.log, `${copy}-wal`);
  }
  copyPrivately(backup.path, copy);
}

function presenceOf(backup: StateFile): Presence {
  try {
    return backup.presence;
  } catch (error) {
    if (!(error instanceof StateStoreError)) throw error;
    throw new BackupError(`${backup.name} cannot be read: it must be a file`, { cause: error });
  }
}

/** Changes a sound state for the copy, while no server can start with either. */
function exchange(state: StateFile, copy: string): string {
  const database = new DatabaseSync(state.path, { timeout: 0 });
  try {
    lendDigest(database);
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT");
    // All of it in the one file, so that nothing belongs to it but the file.
    if (lastEnd(database) === "unknown") settle(database);
    else note(database, "closed");
    discardLog(state);
    keepCounts(database, copy);
    const kept = keep(state);
    putOver(copy, state);
    return kept;
  } finally {
    // SQLite leaves a log alone whose file has another name than when it was opened.
    database.close();
  }
}

/** Puts the copy where there is no state that could be used. */
function supplant(state: StateFile, copy: string): string | undefined {
  const log = state.logPresence;
  if (state.presence !== "present") {
    const kept = log === "present" ? state.freeName("before-restore") : undefined;
    if (kept !== undefined) Deno.renameSync(state.log, `${kept}-wal`);
    if (state.presence === "empty") putOver(copy, state);
    else putInPlace(copy, state.path);
    return kept;
  }
  const kept = keep(state);
  if (log === "present") Deno.renameSync(state.log, `${kept}-wal`);
  renameIfThere(`${state.path}-journal`, `${kept}-journal`);
  putOver(copy, state);
  return kept;
}

/** Gives the file a second name, under which it stays. */
function keep(state: StateFile): string {
  const kept = state.freeName("before-restore");
  try {
    Deno.linkSync(state.path, kept);
  } catch (error) {
    if (isNotFound(error)) throw error;
    // A file system without links.
    copyPrivately(state.path, kept);
  }
  return kept;
}

function putOver(copy: string, state: StateFile): void {
  Deno.renameSync(copy, state.path);
  syncFolder(dirname(state.path));
}

/** The log is empty, and beside the other file it would be in the way. */
function discardLog(state: StateFile): void {
  if (state.logPresence === "empty") Deno.removeSync(state.log);
}

/**
 * What only grows goes on from where it was: numbers of sessions, so that none is given twice, and the time that the server has run, so
 * that what was retrieved since the backup does not lie ahead of it (the same count of it: another state has another).
 */
function keepCounts(old: DatabaseSync, copy: string): void {
  const valueOf = (database: DatabaseSync, name: string): string =>
    String(
      database.prepare("SELECT value FROM installation WHERE name = ?").get(name)?.value ?? "",
    );
  const database = new DatabaseSync(copy, { timeout: 0 });
  try {
    lendDigest(database);
    database.prepare("UPDATE installation SET value = max(value, ?) WHERE name = 'sessions'")
      .run(Number(valueOf(old, "sessions")));
    const [running, restored] = [old, database].map((each) => valueOf(each, "running"));
    const [id, time] = running!.split(" ");
    const [restoredId, restoredTime] = restored!.split(" ");
    if (running !== "" && id === restoredId && Number(time) > Number(restoredTime)) {
      database.prepare("UPDATE installation SET value = ? WHERE name = 'running'").run(running!);
    }
  } finally {
    database.close();
  }
  syncFile(copy);
}
