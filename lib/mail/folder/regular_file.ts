/** Opens a file of a mailbox, and only if it is one: no link, FIFO, device or folder, also when names change in between. */

import { closeSync, constants, fstatSync, openSync } from "node:fs";
import type { Descriptor } from "../../contracts/mail_store.ts";

/** What opening tells. */
export interface RegularFile {
  readonly file: Deno.FsFile;
  /** Of the open file. */
  readonly info: Deno.FileInfo;
}

/** Something that is there and is no regular file, or became another one while it was opened. */
export class NotRegularError extends Error {
  override name = "NotRegularError";
}

/**
 * Opens at once. A FIFO that takes the file's place between the look and the opening would stop the process, so this is for folders in which
 * nobody else can write; {@linkcode openRegular} is for the others.
 *
 * @throws {NotRegularError} when it is no regular file
 * @throws {Deno.errors.NotFound} and other errors of the file system
 */
export function openRegularSync(path: string): RegularFile {
  const seen = lookAtRegular(path);
  return sameFile(path, seen, Deno.openSync(path, { read: true }));
}

/**
 * Opens what a listing told to be a regular file, to measure it: a look less, which is half the time where the thread's permission
 * is narrow (each look resolves every link of the path). Only for folders in which nobody else can write; what is served is opened by
 * {@linkcode openRegularSync}.
 *
 * @throws {NotRegularError} when it is no regular file any more
 */
export function openListedSync(path: string): RegularFile {
  const file = Deno.openSync(path, { read: true });
  try {
    const info = file.statSync();
    if (info.isFile) return { file, info };
    throw new NotRegularError("It is no regular file.");
  } catch (error) {
    file.close();
    throw error;
  }
}

/** As {@linkcode openRegularSync}, on another thread: whatever the name stands for by then, other sessions go on. */
export async function openRegular(path: string): Promise<RegularFile> {
  const seen = lookAtRegular(path);
  return sameFile(path, seen, await Deno.open(path, { read: true }));
}

/** What opens for reading at once, whatever it is, and follows no link. */
const READ_WITHOUT_WAITING = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens a file that is open already once more, by its name, with a place of its own. By way of `node:fs`, since only that tells the
 * system's number of what it opens.
 *
 * @param info of the open file
 * @throws {NotRegularError} when the name stands for another file by now
 * @throws an error of the file system
 */
export function openDescriptor(path: string, info: Deno.FileInfo): Descriptor {
  const number = openSync(path, READ_WITHOUT_WAITING);
  try {
    const { dev, ino } = fstatSync(number);
    if (dev !== info.dev || ino !== info.ino) throw new NotRegularError(becameAnother(path));
  } catch (error) {
    closeSync(number);
    throw error;
  }
  return { number, [Symbol.dispose]: () => closeSync(number) };
}

function becameAnother(path: string): string {
  return `It became another file while it was opened: ${path}`;
}

function lookAtRegular(path: string): Deno.FileInfo {
  const info = Deno.lstatSync(path);
  if (!info.isFile) throw new NotRegularError("It is no regular file.");
  return info;
}

/** A link is followed by opening, so what was opened must be what was looked at. */
function sameFile(path: string, seen: Deno.FileInfo, file: Deno.FsFile): RegularFile {
  try {
    const info = file.statSync();
    if (info.isFile && info.dev === seen.dev && info.ino === seen.ino) return { file, info };
    throw new NotRegularError(becameAnother(path));
  } catch (error) {
    file.close();
    throw error;
  }
}
