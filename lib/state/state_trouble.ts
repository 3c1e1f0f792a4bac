/** Turns what SQLite says into sentences for people. */

import { StateStoreError, type StateTrouble } from "./state_store.ts";

/** SQLite's words (not every error carries its code), what kind of trouble they mean, and the sentence about the file. */
const TROUBLES: readonly (readonly [RegExp, StateTrouble, (path: string) => string])[] = [
  [
    /is locked/,
    "held",
    (path) =>
      `The state file ${path} is held by another process. Only one server can use it: ` +
      "stop the other one, manage it with postern admin, or name another file with --state",
  ],
  [
    /not a database|encrypted/,
    "foreign",
    (path) => `The state file ${path} is no database. Name another file with --state`,
  ],
  [
    /malformed|corrupt/,
    "corrupt",
    (path) =>
      `The state file ${path} is damaged. Put back a copy of it, or name another file with --state`,
  ],
  [
    /is full/,
    "full",
    (path) =>
      `The state file ${path} could not be written, because the disk is full. ` +
      "Nothing was changed; make room on the disk",
  ],
  [
    /readonly|read-only/,
    "unusable",
    (path) =>
      `The state file ${path} cannot be written. The server's account needs the right to ` +
      "write this file and its folder",
  ],
  [
    /unable to open/,
    "unusable",
    (path) =>
      `The state file ${path} cannot be opened. It must be a file, in a folder that the ` +
      "server's account can write",
  ],
];

/** Makes the error that says what happened to a state file. */
export function stateTrouble(error: unknown, path: string): StateStoreError {
  if (error instanceof StateStoreError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  for (const [words, trouble, sentence] of TROUBLES) {
    if (words.test(reason)) return new StateStoreError(trouble, sentence(path), { cause: error });
  }
  const text = `The state file ${path} could not be used: ${reason}. Nothing was changed`;
  return new StateStoreError("unusable", text, { cause: error });
}
