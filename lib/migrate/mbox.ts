/** Takes an mbox apart: mboxrd, and mboxcl2, whose messages tell their length. */

import { Buffer } from "node:buffer";

/** Octets that are read at once. */
const CHUNK = 1024 * 1024;
/** Octets of a message that is taken. */
const MOST_MESSAGE = 512 * 1024 * 1024;
/** Octets that are looked at for the end of a header. */
const MOST_HEADER = 1024 * 1024;
/** What begins a message: its line tells a time, or at least a year. */
const FROM_LINE = /^From [^\n]*(?:\d\d:\d\d|\d{4})[^\n]*\r?$/;
const LF = 10;
const CR = 13;

/** A message of an mbox. */
export interface MboxMessage {
  /** As it is to be stored: without the `From ` line, `>From ` undone once. */
  readonly octets: Uint8Array;
  /** The header's lines, without line ends. */
  readonly header: readonly string[];
  /** When it was delivered, milliseconds since 1970; undefined where the `From ` line tells no time. */
  readonly delivered: number | undefined;
}

/** A file that is no mbox, or one of its messages cannot be taken. */
export class MboxError extends Error {
  override name = "MboxError";
}

/**
 * Reads one message after the other.
 *
 * @param path of the mbox
 * @throws {MboxError} when it is none
 */
export function* mboxMessages(path: string): Generator<MboxMessage> {
  using file = Deno.openSync(path);
  const size = file.statSync().size;
  const reader = new Reader(file, size);
  if (size === 0) return;
  if (!reader.line(0).startsWith("From ")) {
    throw new MboxError(`${path} is no mbox: it does not begin with a line "From "`);
  }
  let number = 0;
  for (let at = 0; at < size;) {
    number++;
    const fromLine = reader.line(at);
    const start = Math.min(size, at + Buffer.byteLength(fromLine, "latin1") + 1);
    const header = reader.header(start);
    const told = reader.toldEnd(header);
    const next = told?.next ?? reader.nextFrom(start);
    const end = told?.end ?? reader.withoutSeparator(start, next);
    if (end - start > MOST_MESSAGE) {
      throw new MboxError(`message ${number} has over ${MOST_MESSAGE} octets`);
    }
    const octets = reader.read(start, end);
    yield {
      octets: told === undefined ? unquoted(octets) : octets,
      header: header.lines,
      delivered: timeOf(fromLine),
    };
    at = next;
  }
}

interface Header {
  readonly lines: readonly string[];
  /** Where the body begins. */
  readonly end: number;
}

/** Reads a file at any place. */
class Reader {
  readonly #file: Deno.FsFile;
  readonly #size: number;

  constructor(file: Deno.FsFile, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /** Octets from one place to another; fewer where the file ends before. */
  read(start: number, end: number): Buffer {
    const octets = Buffer.alloc(Math.max(0, Math.min(end, this.#size) - start));
    this.#file.seekSync(start, Deno.SeekMode.Start);
    let filled = 0;
    while (filled < octets.length) {
      const count = this.#file.readSync(octets.subarray(filled, filled + CHUNK));
      if (count === null) break;
      filled += count;
    }
    return octets.subarray(0, filled);
  }

  /** The line that begins at a place, without its LF. */
  line(start: number): string {
    const octets = this.read(start, start + 1000);
    const end = octets.indexOf(LF);
    return octets.toString("latin1", 0, end < 0 ? octets.length : end);
  }

  header(start: number): Header {
    const octets = this.read(start, start + MOST_HEADER);
    const found = /\r?\n\r?\n|^\r?\n/.exec(octets.toString("latin1"));
    const length = found === null ? octets.length : found.index + found[0].length;
    const text = octets.toString("utf8", 0, found?.index ?? octets.length);
    return { lines: text.split(/\r?\n/), end: start + length };
  }

  /** Where a message ends that tells its length, if what follows is the beginning of another, or nothing. */
  toldEnd({ lines, end: body }: Header): { end: number; next: number } | undefined {
    const told = headerField(lines, "content-length");
    if (told === undefined || !/^\d{1,12}$/.test(told)) return undefined;
    const end = body + Number(told);
    if (end > this.#size) return undefined;
    const after = this.read(end, end + 8).toString("latin1");
    const [blanks = ""] = /^(?:\r?\n){0,2}/.exec(after) ?? [];
    const next = end + blanks.length;
    if (next >= this.#size) return { end, next: this.#size };
    return this.#beginsMessage(next) ? { end, next } : undefined;
  }

  /** Where the next message begins: at a line `From ` behind an empty one; the file's end where there is none. */
  nextFrom(start: number): number {
    for (let at = start; at < this.#size; at += CHUNK) {
      // What begins in this chunk may end in the next.
      const octets = this.read(Math.max(start, at - 2), at + CHUNK + 8);
      const base = Math.max(start, at - 2);
      for (
        let found = octets.indexOf("\nFrom ");
        found >= 0;
        found = octets.indexOf("\nFrom ", found + 1)
      ) {
        const place = base + found + 1;
        if (this.#isBehindEmptyLine(place) && this.#beginsMessage(place)) return place;
      }
    }
    return this.#size;
  }

  /** The end of a message's octets: the empty line in front of the next one does not belong to it. */
  withoutSeparator(start: number, next: number): number {
    const tail = this.read(Math.max(start, next - 4), next).toString("latin1");
    const [separator = ""] = /(?<=\n)\r?\n$/.exec(tail) ?? [];
    return next - separator.length;
  }

  #isBehindEmptyLine(place: number): boolean {
    const before = this.read(Math.max(0, place - 4), place);
    const at = before.length - 1;
    if (before[at] !== LF) return false;
    return before[at - 1] === LF || (before[at - 1] === CR && before[at - 2] === LF);
  }

  #beginsMessage(place: number): boolean {
    return FROM_LINE.test(this.line(place));
  }
}

/** The first value of a header field; undefined where there is none. */
export function headerField(lines: readonly string[], name: string): string | undefined {
  const start = `${name}:`;
  const line = lines.find((each) => each.toLowerCase().startsWith(start));
  return line?.slice(start.length).trim();
}

/** Undoes `>From ` once (mboxrd): lines of any number of `>` and then `From `. */
function unquoted(octets: Buffer): Uint8Array {
  if (!octets.includes("\n>") && octets[0] !== 0x3e) return octets;
  const text = octets.toString("latin1").replaceAll(/^>(>*From )/gm, "$1");
  return Buffer.from(text, "latin1");
}

/** `From ada@example.org Tue Nov 14 22:13:20 2023`, in universal time. */
function timeOf(line: string): number | undefined {
  const [date] = /[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d(?::\d\d)?.*\d{4}/.exec(line) ?? [];
  if (date === undefined) return undefined;
  const hasZone = /[+-]\d{4}|\b[A-Z]{3,4}\b/.test(date);
  const time = Date.parse(hasZone ? date : `${date} UTC`);
  return Number.isNaN(time) ? undefined : time;
}
