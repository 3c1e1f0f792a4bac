/** Opens files of a mailbox by one call: without waiting for anybody, and judged by what is open rather than by a look before. */

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { fileErrorNumber } from "../../files/file_error.ts";
import { type FileLook, lookAtName, lookOf } from "./file_look.ts";

/** Something that is there and is no regular file. */
export class NotRegularError extends Error {
  override name = "NotRegularError";
}

/**
 * A FIFO would stop the thread until somebody writes to it. Where the thread's permission is narrow, the runtime resolves links before it opens,
 * so that O_NOFOLLOW alone refuses none: whoever opens looks at what is open ({@linkcode OpenFile.look}).
 */
const READ_WITHOUT_WAITING = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Linux's numbers for "a symbolic link" and "a socket, or a device that is not there". */
const NOT_REGULAR: ReadonlySet<number> = new Set([40, 6]);

/** An open file, of which nothing is known yet. Disposing closes it. */
export class OpenFile implements Disposable {
  /**
   * The system's number of the open file. Its own place in the file stays at the beginning, since {@linkcode OpenFile.readSync} reads from places
   * of its own.
   */
  readonly number: number;
  #position = 0;
  #isClosed = false;

  /** @param number of an open file, which belongs to this object from now on */
  constructor(number: number) {
    this.number = number;
  }

  /** Looks at the file itself, whatever its name stands for by now. Takes as long as opening it. */
  look(): FileLook {
    return lookOf(fstatSync(this.number));
  }

  /** Reads the next octets. Returns how many, or null at the end. */
  readSync(into: Uint8Array): number | null {
    const octets = readSync(this.number, into, 0, into.length, this.#position);
    if (octets === 0 && into.length > 0) return null;
    this.#position += octets;
    return octets;
  }

  /** Goes back to the beginning. */
  rewind(): void {
    this.#position = 0;
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.number);
  }
}

/**
 * Opens what may be a regular file.
 *
 * @throws {NotRegularError} when it surely is none
 * @throws {Error} of the file system
 */
export function openFile(path: string): OpenFile {
  try {
    return new OpenFile(openSync(path, READ_WITHOUT_WAITING));
  } catch (error) {
    if (NOT_REGULAR.has(fileErrorNumber(error) ?? 0)) throw notRegular(error);
    throw error;
  }
}

/**
 * Opens a regular file and looks at it, and makes sure that its name is no link.
 *
 * @throws {NotRegularError} when it is none
 * @throws {Error} of the file system
 */
export function openRegular(path: string): { readonly file: OpenFile; readonly look: FileLook } {
  const file = openFile(path);
  try {
    const look = file.look();
    if (!look.isFile || lookAtName(path).inode !== look.inode) throw notRegular();
    return { file, look };
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}

/** The error for what is no regular file. */
export function notRegular(cause?: unknown): NotRegularError {
  return new NotRegularError("it is no regular file", { cause });
}
