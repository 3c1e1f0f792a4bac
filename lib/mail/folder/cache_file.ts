/** Keeps a mailbox's cache in a dot file of the mailbox: read with suspicion, written whole or not at all. */

import type { RunningTime } from "../../async/running_time.ts";
import type { YieldingTask } from "../../async/yielder.ts";
import {
  type CacheContents,
  decodeCache,
  decodeHeader,
  encodeCache,
  HEADER,
} from "./cache_format.ts";
import { Folder, type MessageIndex } from "./message_index.ts";
import { isFileError, isNotFound, isTemporaryFileError } from "../../files/file_error.ts";
import { isSettled, looksUnchanged } from "./folder_stamp.ts";
import { type FileLook, lookAtName, lookOfInfo } from "./file_look.ts";
import { answering } from "../file_deadline.ts";
import { isStill, type Mailbox, unreadable } from "./mailbox.ts";
import { NotRegularError, type OpenFile, openRegular } from "./regular_file.ts";
import { beginAnew, goesOn, originOf } from "./retrieval_times.ts";

const NAME = ".postern-cache";
const UNFINISHED = ".postern-cache.new";
/** Age after which an unfinished cache was left by a process that died, in milliseconds. */
const ABANDONED = 60_000;
/** Octets from which writing happens on another thread, and that are read or written at once. */
const BIG = 1024 * 1024;

/** Which cache file was read or written: another one there means that another session wrote since. */
export interface CacheVersion {
  readonly inode: number;
  readonly modified: number;
  readonly size: number;
}

/** When folders were listed, to be told to {@linkcode writeCache}. */
export interface ListingTime {
  /** Before the listing, by `performance.now()`. */
  readonly at: number;
}

/**
 * Rows that a cache is believed to have of a mailbox that holds so many files: more than there are, since many may have gone since it was
 * written.
 */
export function mostRows(files: number): number {
  return 4 * files + 1000;
}

/**
 * Rows that a cache is believed to have by the sizes of the mailbox's folders alone: no file system takes less than an octet for a name, but some
 * tell no size.
 */
export function likelyRows({ folders }: Mailbox): number {
  return [...folders.values()].reduce((sum, { size }) => sum + size, mostRows(0));
}

/** A cache that was read. */
export interface FoundCache {
  readonly contents: CacheContents;
  readonly version: CacheVersion;
  /** How many messages have their days since retrieval again, because the cache's times do not go on. */
  readonly begunAnew: number;
}

/**
 * Reads a mailbox's cache.
 *
 * @param most rows that are taken memory for: whoever may write in a mailbox can put a cache of any size there
 * @param task lets others run in between
 * @returns undefined when there is none that can be used; `"too-many"` when it has more rows
 * @throws {MaildropUnavailableError} when it cannot be read now
 */
export async function readCache(
  mailbox: Mailbox,
  running: RunningTime,
  most: number,
  task: YieldingTask,
): Promise<FoundCache | "too-many" | undefined> {
  const path = `${mailbox.path}/${NAME}`;
  try {
    const opened = openRegular(path);
    using file = opened.file;
    const { size } = opened.look;
    const start = new Uint8Array(HEADER);
    if (file.readSync(start) !== HEADER) return undefined;
    const header = decodeHeader(start, size);
    if (header === undefined) return undefined;
    if (header.rows > most) return "too-many";
    const octets = await readRest(file, start, size, task);
    const contents = octets && await decodeCache(octets, task);
    if (contents === undefined) return undefined;
    return foundCache(contents, opened.look, running);
  } catch (error) {
    // A mailbox whose cache may not be read is read as if there never had been one. What it tells would be lost by that where it cannot be
    // read now: the ids of twins, and since when messages are to expire.
    if (error instanceof NotRegularError || isNotFound(error)) return undefined;
    if (isFileError(error) && !isTemporaryFileError(error)) return undefined;
    throw unreadable(path, error);
  }
}

/** What a cache's contents are worth now. */
function foundCache(contents: CacheContents, look: FileLook, running: RunningTime): FoundCache {
  const begunAnew = goesOn(contents.origin, look, running)
    ? 0
    : beginAnew(contents.messageIndex, running.now());
  return { contents, version: versionOf(look), begunAnew };
}

/** Gives what was read before, if the mailbox's cache still is the same writing. */
export function recheckCache(
  mailbox: Mailbox,
  { contents, version }: FoundCache,
  running: RunningTime,
): FoundCache | undefined {
  const look = lookAtCache(mailbox);
  if (look === undefined || !isSameVersion(versionOf(look), version)) return undefined;
  return foundCache(contents, look, running);
}

async function readRest(
  file: OpenFile,
  start: Uint8Array,
  size: number,
  task: YieldingTask,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const octets = new Uint8Array(size);
  octets.set(start);
  for (let filled = start.length; filled < size;) {
    const count = file.readSync(octets.subarray(filled, filled + BIG));
    if (count === null) return undefined;
    filled += count;
    if (task.due()) await task.pause();
  }
  return octets;
}

/** Tells which cache lies there now; undefined when there is none. */
export function cacheVersion(mailbox: Mailbox): CacheVersion | undefined {
  const look = lookAtCache(mailbox);
  return look && versionOf(look);
}

function lookAtCache(mailbox: Mailbox): FileLook | undefined {
  try {
    return lookAtName(`${mailbox.path}/${NAME}`);
  } catch (error) {
    if (isFileError(error)) return undefined;
    throw error;
  }
}

/** Whether both are the same writing. */
export function isSameVersion(a: CacheVersion | undefined, b: CacheVersion | undefined): boolean {
  return a?.inode === b?.inode && a?.modified === b?.modified && a?.size === b?.size;
}

/**
 * Writes a mailbox's cache beside the old one and puts it in its place.
 *
 * @param listed when the rows were listed; undefined when they may not be all that the folders hold
 * @param task lets others run in between
 * @returns what was written; undefined when another process is writing
 * @throws {Error} when the mailbox cannot be written
 */
export async function writeCache(
  mailbox: Mailbox,
  messageIndex: MessageIndex,
  listed: ListingTime | undefined,
  running: RunningTime,
  task: YieldingTask,
): Promise<CacheVersion | undefined> {
  const unfinished = `${mailbox.path}/${UNFINISHED}`;
  const file = createUnfinished(unfinished);
  if (file === undefined) return undefined;
  try {
    try {
      const info = file.statSync();
      const stamps = settledStamps(mailbox, info.mtime?.getTime(), listed);
      const origin = originOf(lookOfInfo(info), running);
      const parts = await encodeCache({ messageIndex, stamps, origin }, task);
      await writeParts(file, unfinished, parts, task);
      const version = versionOf(lookOfInfo(file.statSync()));
      Deno.renameSync(unfinished, `${mailbox.path}/${NAME}`);
      return version;
    } finally {
      file.close();
    }
  } catch (error) {
    removeQuietly(unfinished);
    throw error;
  }
}

/**
 * The folders' looks, if they can be believed: unchanged since before the listing, and older than it by the file system's own clock, which the
 * new file's time tells (the machine's may differ).
 */
function settledStamps(
  mailbox: Mailbox,
  clock: number | undefined,
  listed: ListingTime | undefined,
): CacheContents["stamps"] {
  const fresh = mailbox.folders.get(Folder.NEW);
  const cur = mailbox.folders.get(Folder.CUR);
  if (listed === undefined || clock === undefined || !fresh || !cur) return undefined;
  const listedAt = clock - (performance.now() - listed.at);
  const settled = [fresh, cur].every((state) => isStill(state) && isSettled(state.stamp, listedAt));
  return settled ? { new: fresh.stamp, cur: cur.stamp } : undefined;
}

/** Whether {@linkcode writeCache} would find the folders settled, as far as the machine's own clock tells. */
export function looksSettled(mailbox: Mailbox): boolean {
  const states = [...mailbox.folders.values()];
  return states.every(({ stamp }) => isSettled(stamp, Date.now()));
}

/** Whether the folders look as they did when the cache's rows were listed. */
export function isListingValid(mailbox: Mailbox, stamps: CacheContents["stamps"]): boolean {
  const fresh = mailbox.folders.get(Folder.NEW)?.stamp;
  const cur = mailbox.folders.get(Folder.CUR)?.stamp;
  return stamps !== undefined && looksUnchanged(fresh, stamps.new) &&
    looksUnchanged(cur, stamps.cur);
}

/** Made anew, so that no link is followed; one that a dead process left is removed first. */
function createUnfinished(path: string): Deno.FsFile | undefined {
  const options = { write: true, createNew: true, mode: 0o600 };
  try {
    return Deno.openSync(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    const { mtime, isFile } = Deno.lstatSync(path);
    // One from the future was left, too, by a process whose clock was wrong.
    if (isFile && Math.abs(Date.now() - (mtime?.getTime() ?? 0)) < ABANDONED) return undefined;
    Deno.removeSync(path);
    return Deno.openSync(path, options);
  }
}

async function writeParts(
  file: Deno.FsFile,
  path: string,
  parts: readonly Uint8Array[],
  task: YieldingTask,
): Promise<void> {
  const isBig = parts.reduce((sum, { length }) => sum + length, 0) >= BIG;
  for (const part of parts) {
    for (let written = 0; written < part.length;) {
      const piece = part.subarray(written, written + BIG);
      written += isBig ? await answering(path, () => file.write(piece)) : file.writeSync(piece);
      if (task.due()) await task.pause();
    }
  }
}

/** What failed before was told already; a leftover is removed when it is found abandoned. */
function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!isFileError(error)) throw error;
  }
}

function versionOf({ inode, modified, size }: FileLook): CacheVersion {
  return { inode, modified, size };
}
