/** Makes a user's mailbox, or what one lacks. */

import { closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync } from "node:fs";

const MODE = 0o700;
const FOLDERS = ["cur", "new", "tmp"] as const;

/**
 * Whose files are that the server makes (`--ids`): those of the account that it runs under, whatever that may be, of the owner of the folder
 * around them, or of one account. The latter two are for root.
 */
export type FileIds = "own" | "keep" | { readonly uid: number; readonly gid: number };

/**
 * Makes a Maildir. `cur` comes first: from then on the folder is told from a plain one. Root gives what it makes to the folder above's
 * owner, or to whom `ids` names.
 *
 * @param base the folder that must be there; folders between it and the mailbox are made, too
 * @throws {Error} when the folder above is missing or cannot be written
 */
export function makeMailbox(
  path: string,
  base: string = path.slice(0, path.lastIndexOf("/")),
  ids: FileIds = "own",
): void {
  const owner = ownerFor(base, ids);
  const make = (folder: string): void => {
    if (makeFolder(folder, MODE) && owner !== undefined) giveTo(folder, owner.uid, owner.gid, MODE);
  };
  for (let end = path.indexOf("/", base.length + 1); end > 0; end = path.indexOf("/", end + 1)) {
    make(path.slice(0, end));
  }
  make(path);
  for (const folder of FOLDERS) make(`${path}/${folder}`);
}

/** Whom root gives what it makes below a folder; undefined where nothing is to be given: nobody else may. */
function ownerFor(base: string, ids: FileIds): { uid: number; gid: number } | undefined {
  if (ids === "own") return undefined;
  if (ids !== "keep") return ids;
  const { uid, gid } = Deno.lstatSync(base);
  return uid === null || gid === null || uid === 0 ? undefined : { uid, gid };
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
