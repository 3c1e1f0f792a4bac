/** Makes a user's mailbox, or what one lacks. */

import { closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync } from "node:fs";
import {
  fileErrorReason,
  isFileError,
  isNotFound,
  isTemporaryFileError,
} from "../../files/file_error.ts";
import { unreadable } from "./mailbox.ts";

const MODE = 0o700;
const FOLDERS = ["cur", "new", "tmp"] as const;

/**
 * Makes a Maildir. `cur` comes first: from then on the folder is told from a plain one.
 *
 * @throws {Error} when the folder above is missing or cannot be written
 */
export function makeMailbox(path: string): void {
  makeFolder(path, MODE);
  for (const folder of FOLDERS) makeFolder(`${path}/${folder}`, MODE);
}

/**
 * Makes a user's mailbox at the first login. Where that may not be, there is no mail, and the session goes on.
 *
 * @param root the mail folder
 * @param warn told why it could not be made
 * @returns whether it was made
 * @throws {MaildropUnavailableError} when it cannot be made now: the disk is full, or fails
 * @throws {Error} when there is no mail folder: what is not mounted is not empty, and clients that keep their mail here would forget it
 */
export function makeAtLogin(
  path: string,
  root: string,
  warn: (message: string, properties: Record<string, unknown>) => void,
): boolean {
  try {
    makeMailbox(path);
    return true;
  } catch (error) {
    if (!isFileError(error)) throw error;
    if (isNotFound(error)) {
      throw new Error(`The mail folder ${root} is not there. Mount it, or put it back.`, {
        cause: error,
      });
    }
    if (isTemporaryFileError(error)) throw unreadable(path, error);
    warn("A user's mailbox could not be made.", {
      mailbox: path,
      reason: fileErrorReason(error),
    });
    return false;
  }
}

/**
 * Makes the folders that a Maildir lacks, with the owner, group and mode of one that it has: who else works on it must be able to use
 * them, too. Only where nobody but the server's account exchanges what a name stands for; elsewhere see HeldMailbox.complete.
 *
 * @param present the path of a folder that it has
 * @throws {Error} when they cannot be made so; then none that others could not use is left
 */
export function completeMaildir(path: string, present: string): void {
  const { uid, gid, mode } = Deno.lstatSync(present);
  for (const name of FOLDERS) {
    const folder = `${path}/${name}`;
    if (!makeFolder(folder, MODE)) continue;
    try {
      giveTo(folder, uid, gid, (mode ?? MODE) & 0o7777);
    } catch (error) {
      Deno.removeSync(folder);
      throw error;
    }
  }
}

/** Sets owner, group and mode of what is open, whatever its name stands for by then. */
function giveTo(path: string, owner: number | null, group: number | null, mode: number): void {
  const folder = openSync(
    path,
    constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
  );
  try {
    const made = fstatSync(folder);
    if (owner !== null && group !== null && (made.uid !== owner || made.gid !== group)) {
      fchownSync(folder, owner, group);
    }
    // The mask of the process took from the mode; a change of owner may have, too.
    fchmodSync(folder, mode);
  } finally {
    closeSync(folder);
  }
}

/** Tells whether it was made: somebody else may have. */
function makeFolder(path: string, mode: number): boolean {
  try {
    Deno.mkdirSync(path, { mode });
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return false;
  }
}
