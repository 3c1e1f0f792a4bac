/** `maildirsize`, in which Maildir++ keeps what a mailbox holds (https://www.courier-mta.org/imap/README.maildirquota.html): a sum a line. */

import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { isFileError, isNotFound } from "../../files/file_error.ts";

const NAME = "maildirsize";
const FLAGS = constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Octets from which on the sums are counted anew, and written as one. */
const MOST_OCTETS = 5120;
const MODE = 0o600;
/** Folders that do not count, as Maildir++ has it, and ours. */
const UNCOUNTED: ReadonlySet<string> = new Set([".Trash", ".Postern.Trash"]);

/** What a mailbox holds. */
export interface MailboxUse {
  readonly octets: number;
  readonly messages: number;
}

/** Whom root gives a new file to. */
type Owner = { readonly uid: number; readonly gid: number } | undefined;

/**
 * Tells what a mailbox holds, by its file of sums; without one, or with one of another quota, everything is counted and the file written.
 *
 * @param quota octets that the mailbox may hold
 */
export function mailboxUse(path: string, quota: number, owner: Owner): MailboxUse {
  const sums = readSums(path);
  const definition = `${quota}S`;
  if (sums !== undefined && sums.definition === definition && sums.length < MOST_OCTETS) {
    return sums.use;
  }
  const use = countMailbox(path);
  writeSums(path, `${definition}\n${line(use)}`, owner);
  return use;
}

/** Adds to the sums, where there are such: after a delivery, or with numbers below 0 after a removal. */
export function changeUse(path: string, change: MailboxUse): void {
  withFile(path, constants.O_WRONLY | constants.O_APPEND, (file) => {
    if (isOurs(file)) writeSync(file, new TextEncoder().encode(line(change)));
  });
}

function line({ octets, messages }: MailboxUse): string {
  return `${octets} ${messages}\n`;
}

function isOurs(file: number): boolean {
  const stats = fstatSync(file);
  return stats.isFile() && stats.nlink === 1;
}

interface Sums {
  readonly definition: string;
  readonly use: MailboxUse;
  readonly length: number;
}

function readSums(path: string): Sums | undefined {
  return withFile(path, constants.O_RDONLY, (file) => {
    const octets = new Uint8Array(MOST_OCTETS);
    const length = isOurs(file) ? readSync(file, octets, 0, octets.length, 0) : 0;
    const lines = new TextDecoder().decode(octets.subarray(0, length)).split("\n");
    const [definition = ""] = lines;
    let [sum, count] = [0, 0];
    for (const each of lines.slice(1, -1)) {
      const [, size, messages] = /^\s*(-?\d{1,15})\s+(-?\d{1,9})\s*$/.exec(each) ?? [];
      if (size === undefined || messages === undefined) return undefined;
      sum += Number(size);
      count += Number(messages);
    }
    if (sum < 0 || count < 0 || lines.length < 2) return undefined;
    return { definition, use: { octets: sum, messages: count }, length };
  });
}

function writeSums(path: string, text: string, owner: Owner): void {
  const unfinished = `${NAME}.${crypto.randomUUID()}`;
  try {
    const file = openSync(
      `${path}/${unfinished}`,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | FLAGS,
      MODE,
    );
    try {
      writeSync(file, new TextEncoder().encode(text));
      if (owner !== undefined) fchownSync(file, owner.uid, owner.gid);
    } finally {
      closeSync(file);
    }
    Deno.renameSync(`${path}/${unfinished}`, `${path}/${NAME}`);
  } catch (error) {
    // Without the file, the mailbox is counted at each delivery.
    if (!isFileError(error)) throw error;
  }
}

function withFile<T>(path: string, flags: number, work: (file: number) => T): T | undefined {
  let file: number;
  try {
    file = openSync(`${path}/${NAME}`, flags | FLAGS);
  } catch (error) {
    if (isFileError(error)) return undefined;
    throw error;
  }
  try {
    return work(file);
  } finally {
    closeSync(file);
  }
}

/** Counts a mailbox with its Maildir++ folders, by the sizes in the names where they are there. */
function countMailbox(path: string): MailboxUse {
  const folders = [path];
  for (const { name, isDirectory } of list(path)) {
    if (isDirectory && name.startsWith(".") && !UNCOUNTED.has(name)) {
      folders.push(`${path}/${name}`);
    }
  }
  let [octets, messages] = [0, 0];
  for (const folder of folders.flatMap((each) => [`${each}/new`, `${each}/cur`])) {
    for (const { name, isFile } of list(folder)) {
      if (!isFile || name.startsWith(".")) continue;
      messages++;
      octets += sizeOf(folder, name);
    }
  }
  return { octets, messages };
}

function* list(path: string): Generator<Deno.DirEntry> {
  try {
    yield* Deno.readDirSync(path);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Octets of a message, told by its name or asked for; 0 where it is gone. */
export function sizeOf(folder: string, name: string): number {
  const told = /,S=(\d{1,15})(?:[,:;!]|$)/.exec(name)?.[1];
  if (told !== undefined) return Number(told);
  try {
    return Deno.lstatSync(`${folder}/${name}`).size;
  } catch (error) {
    if (isNotFound(error)) return 0;
    throw error;
  }
}
