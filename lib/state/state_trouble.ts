/** Turns what SQLite and the system say into sentences for people. */

import { fileErrorNumber, fileErrorReason, isFileError } from "../files/file_error.ts";
import { StateStoreError, type StateTrouble } from "../contracts/state_store.ts";

/** SQLite's words (not every error carries its code), what kind of trouble they mean, and the sentence about the file. */
const TROUBLES: readonly (readonly [RegExp, StateTrouble, (path: string) => string])[] = [
  [
    /is locked|locking protocol/,
    "held",
    (path) =>
      `The state file ${path} is held by another process. Only one server can use it: ` +
      "stop the other one, manage it with postern admin, or name another file with --state",
  ],
  [
    /not a database|encrypted/,
    "foreign",
    (path) =>
      `The state file ${path} is not an SQLite database. Name another file with --state, or put ` +
      "back a backup with postern restore FILE",
  ],
  [/malformed|corrupt/, "corrupt", (path) => damaged(path)],
  [
    /is full/,
    "full",
    (path) =>
      `The state file ${path} could not be written, because the disk is full. ` +
      "Nothing was changed; make room on the disk",
  ],
  [
    /I\/O error/,
    "io",
    (path) =>
      `The state file ${path} could not be read or written, because the disk failed, or a quota is used up (I/O error). ` +
      "Nothing was changed; the system's log says more",
  ],
  [
    /readonly|read-only/,
    "unusable",
    (path) =>
      `The state file ${path} cannot be written. The server's account needs the right to ` +
      "write this file and its folder, and the disk must not be read-only",
  ],
  [/unable to open/, "unusable", (path) => notAFile(path).message],
  [
    /out of memory/,
    "unusable",
    (path) =>
      `The state file ${path} could not be used, because there is no memory left. Nothing was changed`,
  ],
];

const ENOSPC = 28;
const EDQUOT = 122;

/** Makes the error that says what happened to a state file. */
export function stateTrouble(error: unknown, path: string): StateStoreError {
  if (error instanceof StateStoreError) return error;
  const reason = isLogIndexTooLarge(error)
    ? "database or disk is full"
    : error instanceof Error
    ? error.message
    : String(error);
  for (const [words, trouble, sentence] of TROUBLES) {
    if (words.test(reason)) return new StateStoreError(trouble, sentence(path), { cause: error });
  }
  const number = fileErrorNumber(error);
  const trouble = number === ENOSPC || number === EDQUOT ? "full" : "unusable";
  const said = isFileError(error) ? fileErrorReason(error) : reason;
  const text = `The state file ${path} could not be used: ${said}. Nothing was changed`;
  return new StateStoreError(trouble, text, { cause: error });
}

/** No room for the index of the log, which SQLite calls an I/O error (SQLITE_IOERR_SHMSIZE). */
function isLogIndexTooLarge(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === 4874;
}

/**
 * The sentence about a file that is not what was written, with the ways out.
 *
 * @param what what is wrong with it; undefined where SQLite says only that it is, also of a disk that cannot read it
 */
export function damaged(path: string, what?: string): string {
  const how = what === undefined ? ", or its disk cannot read it" : ` (${what})`;
  return `The state file ${path} is damaged${how}. Put back a ` +
    "backup with postern restore FILE, or start once with --new-state, which sets the file aside " +
    "and begins without users";
}

/** The error about a file that its disk cannot read. */
export function unreadable(path: string, cause: unknown): StateStoreError {
  const text = `The state file ${path} cannot be read: ${fileErrorReason(cause)}. Nothing was ` +
    "changed; the system's log says more";
  return new StateStoreError("io", text, { cause });
}

/** The error about something that is no file, or cannot be reached. */
export function notAFile(path: string): StateStoreError {
  const text = `The state file ${path} cannot be opened. It must be a file, in a folder that the ` +
    "server's account can write";
  return new StateStoreError("unusable", text);
}
