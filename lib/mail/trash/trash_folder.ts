/** The folder of a mailbox in which deleted messages are kept for a while, and the names that they have there. */

import { closeSync, constants, fchownSync, openSync, writeSync } from "node:fs";
import { isFileError } from "../../files/file_error.ts";
import { stampOf } from "../folder/folder_stamp.ts";
import type { FolderState, Mailbox } from "../folder/mailbox.ts";
import { Folder } from "../folder/message_index.ts";
import { MaildropUnreadableError } from "../../contracts/mail_store.ts";

const NAME = ".Postern.Trash";
/** Says of each file who deleted it. */
const NOTES = ".deleted";
const MODE = 0o700;
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW |
  constants.O_NONBLOCK;

/** The letters of folders in names. */
const LETTERS = [[Folder.NEW, "n"], [Folder.CUR, "c"], [Folder.PLAIN, "p"]] as const;

/** A file of the trash, by its name. */
export interface TrashedName {
  /** In the trash. */
  readonly file: string;
  /** When it was deleted, milliseconds since 1970. */
  readonly at: number;
  /** Where it was. */
  readonly folder: Folder;
  /** As it was called there. */
  readonly name: string;
}

/** The name of a file in the trash. */
export function trashName(at: number, folder: Folder, name: string): string {
  const letter = LETTERS.find(([each]) => each === folder)![1];
  return `${at.toString(36)}_${letter}_${name}`;
}

/** Reads a name of the trash; undefined for what is none. */
export function readTrashName(file: string): TrashedName | undefined {
  const [, time, letter, name] = /^([0-9a-z]{7,9})_([ncp])_(.+)$/s.exec(file) ?? [];
  const folder = LETTERS.find(([, each]) => each === letter)?.[0];
  if (time === undefined || name === undefined || folder === undefined) return undefined;
  return { file, at: parseInt(time, 36), folder, name };
}

/** Finds a mailbox's trash. @throws {MaildropUnreadableError} when it is something else than a folder */
export function findTrash({ path }: Mailbox): FolderState | undefined {
  const trash = `${path}/${NAME}`;
  try {
    const info = Deno.lstatSync(trash);
    if (info.isDirectory) return { path: trash, stamp: stampOf(info), size: info.size };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  throw new MaildropUnreadableError(`${trash} must be a folder, and no link to one`);
}

/** Finds a mailbox's trash, or makes it like the mailbox. @throws {Error} when it cannot be made */
export function makeTrash(mailbox: Mailbox): FolderState {
  const found = findTrash(mailbox);
  if (found !== undefined) return found;
  const path = `${mailbox.path}/${NAME}`;
  Deno.mkdirSync(path, { mode: MODE });
  const { uid, gid } = Deno.lstatSync(mailbox.path);
  const made = Deno.lstatSync(path);
  if (uid !== null && gid !== null && made.uid !== uid) giveFolder(path, uid, gid);
  return findTrash(mailbox)!;
}

function giveFolder(path: string, uid: number, gid: number): void {
  const folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    fchownSync(folder, uid, gid);
  } finally {
    closeSync(folder);
  }
}

/** What is known of a deleted message beside its file. */
export interface DeletedNote {
  readonly uid: string;
  /** Octets as sent. */
  readonly size: number;
  /** The session and the address of who deleted it. */
  readonly by: string;
}

/** Writes down who deleted files of the trash. That it cannot be written keeps nothing from being deleted. */
export function noteDeleted(
  trash: FolderState,
  notes: Iterable<readonly [file: string, note: DeletedNote]>,
): void {
  const lines = Array.from(notes, ([file, { uid, size, by }]) => `${uid} ${size} ${by}\t${file}\n`);
  if (lines.length === 0) return;
  try {
    const file = openSync(`${trash.path}/${NOTES}`, APPEND, 0o600);
    try {
      writeSync(file, new TextEncoder().encode(lines.join("")));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (!isFileError(error)) throw error;
  }
}

/** Reads who deleted files of the trash. */
export function readNotes(trash: FolderState): Map<string, DeletedNote> {
  const notes = new Map<string, DeletedNote>();
  let text: string;
  try {
    text = Deno.readTextFileSync(`${trash.path}/${NOTES}`);
  } catch (error) {
    if (isFileError(error)) return notes;
    throw error;
  }
  for (const line of text.split("\n")) {
    const [, uid, size, by, file] = /^([\x21-\x7e]{1,70}) (\d{1,15}) ([^\t]*)\t(.+)$/.exec(line) ??
      [];
    if (uid !== undefined) notes.set(file!, { uid, size: Number(size), by: by! });
  }
  return notes;
}

/** Forgets the notes of a trash that is empty. */
export function dropNotes(trash: FolderState): void {
  try {
    Deno.removeSync(`${trash.path}/${NOTES}`);
  } catch (error) {
    if (!isFileError(error)) throw error;
  }
}
