/** The state's files on the disk: what is there, who may read it, making it, and setting it aside. */

import { closeSync, constants, fchmodSync, openSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileErrorReason, isFileError, isNotFound } from "../files/file_error.ts";
import { syncFolder } from "../files/sync_folder.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import { notAFile, stateTrouble, unreadable } from "./state_trouble.ts";

/** Only the owner reads and writes. */
export const PRIVATE_MODE = 0o600;
/** What SQLite keeps beside a database. */
const SIDE_FILES = ["-wal", "-shm", "-journal"] as const;

const CHUNK = 1024 * 1024;

/** What there is of a file. */
export type Presence = "absent" | "empty" | "present";

/** A state file and the write-ahead log beside it. */
export class StateFile {
  /** As it was given, for messages. */
  readonly name: string;
  /** Absolute, symbolic links followed: SQLite keeps its other files beside what a link leads to. */
  readonly path: string;

  /** @throws {StateStoreError} when the path cannot be a state file's */
  constructor(name: string) {
    this.name = name;
    try {
      this.path = Deno.realPathSync(name);
    } catch (error) {
      if (!isNotFound(error)) throw stateTrouble(error, name);
      this.path = resolve(name);
    }
  }

  /** The write-ahead log's path. */
  get log(): string {
    return `${this.path}-wal`;
  }

  /** What there is of the file. @throws {StateStoreError} when that cannot be found out, or it is no file */
  get presence(): Presence {
    return this.#look(this.path);
  }

  /** What there is of the write-ahead log: one with content holds changes that the file does not have. */
  get logPresence(): Presence {
    return this.#look(this.log);
  }

  /** Whether the index of the log is there, which several readers share. */
  get hasIndex(): boolean {
    return modeOf(`${this.path}-shm`) !== undefined;
  }

  /**
   * Takes the right to read from everybody but the owner.
   *
   * @returns a sentence where that cannot be done
   */
  tighten(): string | undefined {
    for (const path of [this.path, ...SIDE_FILES.map((suffix) => this.path + suffix)]) {
      const mode = modeOf(path);
      if (mode === undefined || (mode & 0o077) === 0) continue;
      try {
        // By its descriptor, so that no other file can come between. It is opened only where it must be: closing it drops locks on it.
        const file = openSync(
          path,
          constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
        );
        try {
          fchmodSync(file, PRIVATE_MODE);
        } finally {
          closeSync(file);
        }
      } catch (error) {
        return `The file ${path} has mode ${
          (mode & 0o777).toString(8).padStart(4, "0")
        }, so that others ` +
          `on this machine can reach passwords' keys, and the mode cannot be changed: ` +
          `${fileErrorReason(error)}. Make its owner change it: chmod 600 ${path}`;
      }
    }
    return undefined;
  }

  /**
   * Reads the file and its log, for nothing but whether that can be done.
   *
   * @throws {StateStoreError} `io` when the disk fails
   */
  readThrough(): void {
    const buffer = new Uint8Array(CHUNK);
    for (const path of [this.path, this.log]) {
      try {
        using file = Deno.openSync(path);
        while (file.readSync(buffer) !== null);
      } catch (error) {
        if (isNotFound(error)) continue;
        throw unreadable(this.name, error);
      }
    }
  }

  /**
   * Makes the file at once and whole, so that no kill leaves half of it.
   *
   * @param build makes the file at this path, closed and synced
   * @throws {Deno.errors.AlreadyExists} when there is one
   * @throws {StateStoreError} when it cannot be made
   */
  create(build: (path: string) => void): void {
    const unfinished = this.unfinished("new");
    try {
      build(unfinished);
      putInPlace(unfinished, this.path);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) throw error;
      if (!isNotFound(error)) throw stateTrouble(error, this.name);
      const text = `The state file ${this.name} cannot be made, because there is no folder ` +
        `${dirname(this.name)}. Make it, or name another file with --state`;
      throw new StateStoreError("unusable", text, { cause: error });
    } finally {
      discard(unfinished);
    }
  }

  /** A name for a file that is to take this one's place, in the same folder. */
  unfinished(purpose: string): string {
    return join(dirname(this.path), `.${basename(this.path)}.${purpose}-${crypto.randomUUID()}`);
  }

  /** Removes what kills left of files that were to take this one's place; meant for whoever holds the file. */
  removeUnfinished(purpose: string): void {
    const folder = dirname(this.path);
    const prefix = `.${basename(this.path)}.${purpose}-`;
    for (const { name } of Deno.readDirSync(folder)) {
      if (name.startsWith(prefix)) discard(join(folder, name));
    }
  }

  /**
   * Moves the file, and what is beside it, out of the way, under one new name.
   *
   * @param why a word for the name
   * @returns the new path
   * @throws {StateStoreError} when it cannot be moved
   */
  setAside(why: string): string {
    const target = this.freeName(why);
    try {
      for (const suffix of ["-wal", "-journal", ""]) {
        renameIfThere(this.path + suffix, target + suffix);
      }
      discard(`${this.path}-shm`);
      syncFolder(dirname(this.path));
    } catch (error) {
      throw stateTrouble(error, this.name);
    }
    return target;
  }

  /** A name beside the file that nothing has: `postern.db.damaged-20261125T080100Z`. */
  freeName(why: string): string {
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    for (let count = 1;; count++) {
      const name = `${this.path}.${why}-${time}${count === 1 ? "" : `-${count}`}`;
      if (["", ...SIDE_FILES].every((suffix) => modeOf(name + suffix) === undefined)) return name;
    }
  }

  #look(path: string): Presence {
    try {
      const info = Deno.statSync(path);
      if (!info.isFile) throw notAFile(this.name);
      return info.size === 0 ? "empty" : "present";
    } catch (error) {
      if (isNotFound(error)) return "absent";
      throw stateTrouble(error, this.name);
    }
  }
}

/** Makes an empty file that only its owner can read; one that is there is an error. */
export function makePrivate(path: string): void {
  Deno.openSync(path, { write: true, createNew: true, mode: PRIVATE_MODE }).close();
}

/**
 * Gives a finished file its name, and never the name of one that is there.
 *
 * @throws {Deno.errors.AlreadyExists} when something has the name
 */
export function putInPlace(finished: string, path: string): void {
  try {
    Deno.linkSync(finished, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists || isNotFound(error)) throw error;
    // Not every file system has links; nobody else is at work here then, in all likelihood.
    if (modeOf(path) !== undefined) throw new Deno.errors.AlreadyExists(path);
    Deno.renameSync(finished, path);
  }
  discard(finished);
  syncFolder(dirname(path));
}

/** Removes a file that nobody needs, and what SQLite left beside it. One that cannot be removed does no harm. */
export function discard(path: string): void {
  for (const suffix of ["", ...SIDE_FILES]) {
    try {
      Deno.removeSync(path + suffix);
    } catch (error) {
      if (!isFileError(error)) throw error;
    }
  }
}

/** Renames a file where there is one. */
export function renameIfThere(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** The mode of a file, or undefined where there is none. */
function modeOf(path: string): number | undefined {
  try {
    return Deno.lstatSync(path).mode ?? 0;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
