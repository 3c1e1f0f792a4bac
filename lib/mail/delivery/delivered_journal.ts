/** What deliveries write down of their messages, so that the first login need not read them: a line each, in a dot file of the mailbox. */

import { Buffer } from "node:buffer";
import { closeSync, constants, fchownSync, fstatSync, openSync, writeSync } from "node:fs";
import { isFileError } from "../../files/file_error.ts";
import { Mark, type MessageIndex } from "../folder/message_index.ts";
import type { Mailbox } from "../folder/mailbox.ts";
import { NotRegularError, openRegular } from "../folder/regular_file.ts";
import type { YieldingTask } from "../../async/yielder.ts";
import { uniquePart } from "../naming/maildir_name.ts";

const NAME = ".postern-delivered";
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW |
  constants.O_NONBLOCK;
const PRIVATE = 0o600;
/** Octets of a journal that is read: a million messages. What is beyond is measured by reading. */
const MOST_OCTETS = 128 * 1024 * 1024;
const LF = 0x0a;
const BLANK = 0x20;
const ZERO = 0x30;
/** Rows that are gone through between two looks at the clock. */
const ROWS_A_LOOK = 512;

/** A message as a delivery knows it. */
export interface Delivered {
  /** The file's name in `new/`. */
  readonly name: string;
  readonly storedSize: number;
  /** Octets that RETR sends. */
  readonly size: number;
  readonly verbatim: boolean;
  /** The file's time, milliseconds since 1970. */
  readonly modified: number;
}

/**
 * Writes a message down. Nothing is lost where that fails: the next login reads the message.
 *
 * @param owner whom root gives a new journal to
 */
export function noteDelivered(
  path: string,
  { name, storedSize, size, verbatim, modified }: Delivered,
  owner: { readonly uid: number; readonly gid: number } | undefined,
): void {
  try {
    const file = openSync(`${path}/${NAME}`, APPEND, PRIVATE);
    try {
      const { isRegular, links, length } = lookAt(file);
      // A link to another file would have that one written to.
      if (!isRegular || links !== 1 || length > MOST_OCTETS) return;
      if (length === 0 && owner !== undefined) fchownSync(file, owner.uid, owner.gid);
      // One call, so that lines of deliveries at the same time do not mix.
      const line = `${storedSize} ${size} ${verbatim ? 1 : 0} ${modified} ${name}\n`;
      writeSync(file, new TextEncoder().encode(line));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (!isFileError(error)) throw error;
  }
}

function lookAt(file: number): { isRegular: boolean; links: number; length: number } {
  const stats = fstatSync(file);
  return { isRegular: stats.isFile(), links: stats.nlink, length: stats.size };
}

/** A journal that was read. */
export interface JournalVersion {
  readonly inode: number;
  readonly size: number;
}

/**
 * Takes over what the journal tells of files that were not measured yet.
 *
 * @returns which journal was read; undefined where there is none
 */
export async function learnDelivered(
  { path, layout }: Mailbox,
  index: MessageIndex,
  task: YieldingTask,
): Promise<JournalVersion | undefined> {
  if (layout !== "maildir") return undefined;
  const read = readJournal(path);
  if (read === undefined) return undefined;
  const lines = new JournalLines(read.octets);
  for (let row = 0; row < index.length; row++) {
    if (row % ROWS_A_LOOK === 0 && task.due()) await task.pause();
    if (index.isMeasured(row)) continue;
    if (!lines.find(uniquePart(index.names.at(row)))) continue;
    const { storedSize, size, verbatim, modified } = lines;
    if (size < storedSize) continue;
    index.storedSize[row] = storedSize;
    index.size[row] = size;
    index.modified[row] = modified;
    index.marks[row] = index.marks[row]! & ~Mark.VERBATIM | (verbatim === 1 ? Mark.VERBATIM : 0);
  }
  return read.version;
}

/**
 * A journal's lines. Most stand in the order in which they are looked for, so that the next is tried first: a hundred thousand of them are
 * found without a table.
 */
class JournalLines {
  readonly #octets: Buffer;
  /** Where the next line begins. */
  #next = 0;
  #end: number;
  /** Where lines begin, by their names; made when one is looked for out of order. */
  #places: Map<string, number> | undefined;
  #at = 0;
  storedSize = 0;
  size = 0;
  verbatim = 0;
  modified = 0;

  constructor(octets: Uint8Array<ArrayBuffer>) {
    this.#octets = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
    // What has no end was being written when the machine stopped.
    this.#end = this.#octets.lastIndexOf(LF) + 1;
  }

  /** Looks for a file's line, and reads it. */
  find(name: string): boolean {
    if (this.#next < this.#end && this.#read(this.#next) === name) {
      this.#next = this.#octets.indexOf(LF, this.#at) + 1;
      return true;
    }
    const place = this.#table().get(name);
    if (place === undefined || this.#read(place) !== name) return false;
    this.#next = this.#octets.indexOf(LF, this.#at) + 1;
    return true;
  }

  /** Reads the line that begins there. @returns its name; undefined where it is damaged */
  #read(start: number): string | undefined {
    this.#at = start;
    this.storedSize = this.#number();
    this.size = this.#number();
    this.verbatim = this.#number();
    this.modified = this.#number();
    if (Number.isNaN(this.storedSize + this.size + this.verbatim + this.modified)) return undefined;
    return this.#octets.toString("utf8", this.#at, this.#octets.indexOf(LF, this.#at));
  }

  /** A whole number with a blank behind it; NaN for anything else. */
  #number(): number {
    let value = 0;
    for (const start = this.#at;; this.#at++) {
      const digit = this.#octets[this.#at]! - ZERO;
      if (digit >= 0 && digit <= 9) value = value * 10 + digit;
      else {
        const isEnd = this.#octets[this.#at] === BLANK && this.#at > start;
        if (isEnd) this.#at++;
        return isEnd && Number.isSafeInteger(value) ? value : NaN;
      }
    }
  }

  #table(): Map<string, number> {
    if (this.#places !== undefined) return this.#places;
    this.#places = new Map();
    for (let start = 0; start < this.#end;) {
      const name = this.#read(start);
      if (name !== undefined) this.#places.set(name, start);
      start = this.#octets.indexOf(LF, start) + 1;
    }
    return this.#places;
  }
}

function readJournal(
  path: string,
): { readonly octets: Uint8Array<ArrayBuffer>; readonly version: JournalVersion } | undefined {
  try {
    const { file, look } = openRegular(`${path}/${NAME}`);
    using open = file;
    const octets = new Uint8Array(Math.min(look.size, MOST_OCTETS));
    let filled = 0;
    while (filled < octets.length) {
      const count = open.readSync(octets.subarray(filled));
      if (count === null) break;
      filled += count;
    }
    const version = { inode: look.inode, size: look.size };
    return { octets: octets.subarray(0, filled), version };
  } catch (error) {
    if (error instanceof NotRegularError || isFileError(error)) return undefined;
    throw error;
  }
}

/** Removes a journal whose messages the index knows, unless a delivery has written to it since: those messages are measured then. */
export function dropJournal(path: string, version: JournalVersion): void {
  try {
    const { size, ino } = Deno.lstatSync(`${path}/${NAME}`);
    if (size === version.size && ino === version.inode) Deno.removeSync(`${path}/${NAME}`);
  } catch (error) {
    if (!isFileError(error)) throw error;
  }
}
