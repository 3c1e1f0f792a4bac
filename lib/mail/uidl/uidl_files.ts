/** Reads and writes `.postern-uidl` and what belongs to it: whoever may write in the mailbox may have put anything there. */

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsync,
  openSync,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import type { YieldingTask } from "../../async/yielder.ts";
import { MaildropUnreadableError } from "../../contracts/mail_store.ts";
import {
  fileErrorNumber,
  fileErrorReason,
  isFileError,
  isNotFound,
} from "../../files/file_error.ts";
import { syncFolder } from "../../files/sync_folder.ts";
import { type Mailbox, unreadable } from "../folder/mailbox.ts";
import { NotRegularError, openRegular } from "../folder/regular_file.ts";
import { DamagedLinesError, type KeptLine, readLines, writeLines } from "./uidl_lines.ts";

/** The file's name. */
export const UIDL_FILE = ".postern-uidl";
/** What the mailbox had before the last import, as long as no session has shown the ids since. */
export const UNDO_FILE = ".postern-uidl.undo";
/** The same once a session has shown them. */
export const SHOWN_UNDO_FILE = ".postern-uidl.undo-shown";

/** Lines that a file may have beyond those of the messages that are there: of messages that are gone. */
const MOST_GONE = 200_000;
/** Octets of a line at most: name and id, each octet written as three. */
const LONGEST_LINE = 3 * (255 + 17) + 3 * 70 + 32;
/** Octets that are reckoned for a line of a message that is gone. */
const OCTETS_A_GONE = 128;
/** Octets that are read at once. */
const SLICE = 1024 * 1024;
/** Age after which an unfinished file was left by a process that died, in milliseconds. */
const ABANDONED = 60_000;

const MAKE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const EEXIST = 17;

/** Which file was read: another one there means that somebody wrote since. */
export interface UidlLook {
  readonly inode: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly size: number;
}

/** A file that was read. */
export interface FoundLines {
  readonly lines: readonly KeptLine[];
  readonly look: UidlLook;
}

/** Who reads, and for how many messages. */
export interface ReadLinesOptions {
  /** The user id that the program runs under. */
  readonly account: number;
  /** Files of the mailbox: more lines than they justify are not taken memory for. */
  readonly rows: number;
  readonly task: YieldingTask;
}

/** Lines that a mailbox of so many files may have. */
export function mostLines(rows: number): number {
  return 2 * rows + MOST_GONE;
}

/**
 * Reads a mailbox's lines.
 *
 * @returns undefined when it has no such file
 * @throws {MaildropUnreadableError} when the file is damaged, cannot be this mailbox's, or may not be read: ids that were made anew would have
 *   clients download everything again
 * @throws {MaildropUnavailableError} when it cannot be read now
 */
export async function readUidlFile(
  mailbox: Mailbox,
  options: ReadLinesOptions,
  name: string = UIDL_FILE,
): Promise<FoundLines | undefined> {
  const path = `${mailbox.path}/${name}`;
  const { account, rows, task } = options;
  try {
    const found = await readOwn(
      mailbox,
      path,
      account,
      LONGEST_LINE * 2 * rows + MOST_GONE * OCTETS_A_GONE,
      task,
    );
    if (found === undefined) return undefined;
    const { octets, look } = found;
    return { lines: await readLines(octets, mostLines(rows), task), look };
  } catch (error) {
    if (error instanceof DamagedLinesError || error instanceof NotRegularError) {
      throw new MaildropUnreadableError(
        `${path} cannot be used: ${error.message}. Put it back from a backup, or repeat postern import uidl after removing it; ` +
          "without it, messages get ids made from their names, and clients download them again.",
        { cause: error },
      );
    }
    throw unreadable(path, error);
  }
}

/**
 * Reads a file of a mailbox that its owner may have put there: never through a link, and never another one's file.
 *
 * @param most octets
 * @returns undefined when there is none
 * @throws {NotRegularError} when it is no file of the mailbox
 * @throws {DamagedLinesError} when it is too big, or becomes shorter
 */
export async function readOwn(
  mailbox: Mailbox,
  path: string,
  account: number,
  most: number,
  task: YieldingTask,
): Promise<{ octets: Uint8Array<ArrayBuffer>; look: UidlLook } | undefined> {
  // Most mailboxes have none, and a look costs half of what a failed opening does.
  if (!isThere(path)) return undefined;
  const opened = openRegular(path);
  using file = opened.file;
  const { owner, inode, modified, size } = opened.look;
  if (!isOwn(mailbox, account, owner, () => fstatSync(file.number).nlink)) {
    throw new NotRegularError("it belongs to another account than the mailbox");
  }
  if (size > most) throw new DamagedLinesError(`it has ${size} octets; at most ${most} are read`);
  const octets = new Uint8Array(size);
  for (let filled = 0; filled < size;) {
    const count = file.readSync(octets.subarray(filled, filled + SLICE));
    if (count === null) throw new DamagedLinesError("it became shorter while it was read");
    filled += count;
    if (task.due()) await task.pause();
  }
  return { octets, look: { inode, modified, size } };
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Whether a file is the mailbox's: a hard link to one of the program's own, or of somebody else's, is not. */
function isOwn(mailbox: Mailbox, account: number, owner: number, links: () => number): boolean {
  if (mailbox.writers === "server") return true;
  if (owner === mailbox.owner && owner !== account && owner !== 0) return true;
  return (owner === account || owner === 0) && links() === 1;
}

/** How a file is put in its place. */
export interface ReplaceOptions {
  /** Whether the caller alone works in the mailbox, so that an unfinished file is a dead process's. @default {false} */
  readonly alone?: boolean;
  /** @default {UIDL_FILE} */
  readonly name?: string;
  readonly task: YieldingTask;
}

/**
 * Writes lines beside the file, syncs, and puts them in its place: after a crash there is the old file or the new one.
 *
 * @returns false when another session is writing
 * @throws {Error} when the mailbox cannot be written
 */
export async function writeUidlFile(
  mailbox: Mailbox,
  lines: readonly KeptLine[],
  options: ReplaceOptions,
): Promise<boolean> {
  return await replaceFile(mailbox, await writeLines(lines, options.task), options);
}

/** The same with any octets. */
export async function replaceFile(
  mailbox: Mailbox,
  parts: readonly Uint8Array[],
  { alone = false, name = UIDL_FILE, task }: ReplaceOptions,
): Promise<boolean> {
  const unfinished = `${mailbox.path}/${UIDL_FILE}.new`;
  const number = createUnfinished(unfinished, alone);
  if (number === undefined) return false;
  try {
    try {
      giveToOwner(number, mailbox);
      for (const part of parts) {
        for (let at = 0; at < part.length;) {
          at += writeSync(number, part, at, Math.min(SLICE, part.length - at));
          if (task.due()) await task.pause();
        }
      }
      await promisify(fsync)(number);
    } finally {
      closeSync(number);
    }
    Deno.renameSync(unfinished, `${mailbox.path}/${name}`);
  } catch (error) {
    removeIfThere(unfinished);
    throw error;
  }
  syncFolder(mailbox.path);
  return true;
}

/** Made anew, so that no link is followed, and known by its number from then on, whatever becomes of the name. */
function createUnfinished(path: string, alone: boolean): number | undefined {
  try {
    return openSync(path, MAKE, 0o600);
  } catch (error) {
    if (fileErrorNumber(error) !== EEXIST) throw error;
    const { mtime } = Deno.lstatSync(path);
    if (!alone && Math.abs(Date.now() - (mtime?.getTime() ?? 0)) < ABANDONED) return undefined;
    Deno.removeSync(path);
    return openSync(path, MAKE, 0o600);
  }
}

/** Gives a new file owner and mode of the mailbox. Where the process may not give it away, it stays the process's. */
function giveToOwner(number: number, { path }: Mailbox): void {
  const { uid, gid, mode } = Deno.lstatSync(path);
  const made = fstatSync(number);
  try {
    const [owner, group] = [uid ?? made.uid, gid ?? made.gid];
    if (made.uid !== owner || made.gid !== group) fchownSync(number, owner, group);
  } catch (error) {
    if (!isFileError(error)) throw error;
  }
  fchmodSync(number, (mode ?? 0o600) & 0o666);
}

/** Removes a file of a mailbox; tells whether there was one. */
export function removeIfThere(path: string): boolean {
  try {
    Deno.removeSync(path);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/**
 * Notes that a session has shown the ids: an undo would change them under clients that know them by now.
 *
 * @returns why it could not be noted; undefined when it is
 */
export function noteShown(mailbox: Mailbox): string | undefined {
  try {
    Deno.renameSync(`${mailbox.path}/${UNDO_FILE}`, `${mailbox.path}/${SHOWN_UNDO_FILE}`);
    return undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (!isFileError(error)) throw error;
    return fileErrorReason(error);
  }
}
