/** One mailbox on disk: which layout it has, and who can write in it. */

import { Folder } from "./message_index.ts";
import {
  fileErrorReason,
  isFileError,
  isNotFound,
  isTemporaryFileError,
} from "../../files/file_error.ts";
import { type FolderStamp, lookAgain, stampOf } from "./folder_stamp.ts";
import { MaildropUnavailableError, MaildropUnreadableError } from "../../contracts/mail_store.ts";

/** A mailbox that is there. */
export interface Mailbox {
  readonly path: string;
  /** The folder below which it lies: the mail folder, or one of homes. */
  readonly root: string;
  /** The path below that. */
  readonly place: string;
  readonly layout: "maildir" | "plain";
  /** The mailbox's own folder. */
  readonly self: FolderState;
  /** Its folders that hold messages, as they looked when the mailbox was found. */
  readonly folders: ReadonlyMap<Folder, FolderState>;
  readonly writers: Writers;
  /** A folder above it in which others can put another mailbox in its place, against which nothing helps. */
  readonly shared: string | undefined;
  /** The user id of the mailbox's owner. */
  readonly owner: number;
  /** When it was found, milliseconds since 1970. */
  readonly foundAt: number;
}

/** Who can put names into a mailbox, or put another folder in its place: what a name stands for is their doing. */
export type Writers =
  /** Only the server's account and root. */
  | "server"
  /** These, and the owner of all the mailbox's folders. */
  | "owner"
  /** Others, too: a group, or owners of single folders. */
  | "others";

/** Where mailboxes lie, and whose names are trusted there. */
export interface MailFolder {
  /** The mail folder. */
  readonly root: string;
  /** The user id that the server runs under. */
  readonly account: number;
}

/** A folder as it looked. */
export interface FolderState {
  readonly path: string;
  readonly stamp: FolderStamp;
  /** What the file system tells as its size: it grows with the names that the folder holds, or held. */
  readonly size: number;
}

/**
 * Finds a mailbox and tells its layout.
 *
 * @param path where it lies, below the mail folder
 * @returns undefined when there is none
 * @throws {MaildropUnreadableError} when there is something that cannot be used as one
 */
export function findMailbox(path: string, folder: MailFolder): Mailbox | undefined {
  const foundAt = Date.now();
  const whole = lookAtFolder(path);
  if (whole === undefined) return undefined;
  const fresh = lookAtSubfolder(`${path}/new`);
  const cur = lookAtSubfolder(`${path}/cur`);
  const folders = new Map<Folder, FolderState>();
  if (fresh !== undefined) folders.set(Folder.NEW, stateOf(`${path}/new`, fresh));
  if (cur !== undefined) folders.set(Folder.CUR, stateOf(`${path}/cur`, cur));
  const layout = folders.size === 0 ? "plain" : "maildir";
  if (layout === "plain") {
    refuseHome(path);
    folders.set(Folder.PLAIN, stateOf(path, whole));
  }
  const above = foldersAbove(path, folder.root);
  const own = [whole, fresh, cur].filter((info) => info !== undefined);
  return {
    path,
    root: folder.root,
    place: path.slice(folder.root.replace(/(?<=.)\/+$/, "").length + 1),
    layout,
    self: stateOf(path, whole),
    folders,
    writers: writersOf([...above.values()], own, folder),
    shared: above.entries().find(([, info]) => isShared(info))?.[0],
    owner: whole.uid ?? -1,
    foundAt,
  };
}

/**
 * Refuses a folder that holds a Maildir: it is somebody's home, whose files are no mail and must not be listed or deleted, or a domain's folder.
 *
 * @throws {MaildropUnreadableError}
 */
function refuseHome(path: string): void {
  try {
    for (const { name, isDirectory } of Deno.readDirSync(path)) {
      if (!isDirectory || !(look(`${path}/${name}/cur`) || look(`${path}/${name}/new`))) continue;
      throw new MaildropUnreadableError(
        `${path} holds the Maildir ${name}/ and is no mailbox itself: its other files are not served as mail. ` +
          `Say where mailboxes lie, such as --mailbox %n/${name} or --mailbox %d/%n/${name}.`,
      );
    }
  } catch (error) {
    throw error instanceof MaildropUnreadableError ? error : unreadable(path, error);
  }
}

/**
 * @param above the folders above the mailbox
 * @param own the mailbox's own folder and those in it
 */
function writersOf(
  above: readonly Deno.FileInfo[],
  own: readonly Deno.FileInfo[],
  folder: MailFolder,
): Writers {
  if ([...above, ...own].every((info) => isOnlyOurs(info, folder))) return "server";
  const owner = own[0]!.uid;
  // What belongs to the server's account, or root, is not the doing of who can write above: it may be anybody's mail, or a key.
  if (owner === folder.account || owner === 0) return "others";
  return own.every((info) => info.uid === owner && !isWritable(info)) ? "owner" : "others";
}

/** The mail folder, and what lies between it and the mailbox, by their paths. */
function foldersAbove(path: string, root: string): Map<string, Deno.FileInfo> {
  const infos = new Map([[root, Deno.statSync(root)]]);
  let end = path.indexOf("/", root.length + 1);
  for (; end > 0; end = path.indexOf("/", end + 1)) {
    const above = path.slice(0, end);
    infos.set(above, Deno.lstatSync(above));
  }
  return infos;
}

/** Whether a group, or everybody, can rename what is in a folder and belongs to others. */
function isShared(info: Deno.FileInfo): boolean {
  return isWritable(info) && ((info.mode ?? 0) & 0o1000) === 0;
}

function isOnlyOurs(info: Deno.FileInfo, { account }: MailFolder): boolean {
  return (info.uid === account || info.uid === 0) && !isWritable(info);
}

/** Whether its group or everybody may put names into a folder. */
function isWritable(info: Deno.FileInfo): boolean {
  return ((info.mode ?? 0) & 0o022) !== 0;
}

/** Whether a folder is still the one that was found: not moved away, and no link put in its place. */
export function isStill(state: FolderState): boolean {
  try {
    return isFolder(state, Deno.lstatSync(state.path));
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Whether what was looked at is the folder that was found. */
export function isFolder(
  { stamp }: FolderState,
  { isDirectory, dev, ino }: Deno.FileInfo,
): boolean {
  return isDirectory && dev === stamp.device && ino === stamp.inode;
}

/** The mailbox's own folder; undefined where there is none. */
function lookAtFolder(path: string): Deno.FileInfo | undefined {
  const info = look(path);
  if (info === undefined || info.isDirectory) return info;
  throw noFolder(path);
}

/** A Maildir's folder; undefined where there is none. A message of a plain folder may bear its name. */
function lookAtSubfolder(path: string): Deno.FileInfo | undefined {
  const info = look(path, lookAgain);
  if (info === undefined || info.isDirectory) return info;
  if (info.isFile) return undefined;
  throw noFolder(path);
}

/** What lies there, links not followed; with `closer`, a folder is looked at once more. */
function look(path: string, closer?: typeof lookAgain): Deno.FileInfo | undefined {
  try {
    const info = Deno.lstatSync(path);
    return closer !== undefined && info.isDirectory ? closer(path, info) : info;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw unreadable(path, error);
  }
}

function noFolder(path: string): MaildropUnreadableError {
  return new MaildropUnreadableError(
    `${path} must be a folder, and no link to one, but is something else. Put the folder itself there.`,
  );
}

function stateOf(path: string, info: Deno.FileInfo): FolderState {
  return { path, stamp: stampOf(info), size: info.size };
}

/**
 * What becomes of a login when something of a mailbox cannot be read, or made.
 *
 * @param path what cannot be read
 * @returns `cause` itself when files are not to blame for it
 */
export function unreadable(path: string, cause: unknown, what: "read" | "made" = "read"): unknown {
  if (!isFileError(cause)) return cause;
  const sentence = `${path} cannot be ${what}: ${fileErrorReason(cause)}.`;
  return isTemporaryFileError(cause)
    ? new MaildropUnavailableError(sentence, { cause })
    : new MaildropUnreadableError(sentence, { cause });
}
