/** The text of a mailbox's `.postern-uidl`: the unique-ids that messages have for good, and their places. */

import { Buffer } from "node:buffer";
import type { YieldingTask } from "../../async/yielder.ts";

/*
 * postern-uidl 1
 * unique part TAB id TAB order
 *
 * The order may be missing. A line whose message is gone has a fourth field: since when, in seconds since 1970. In a plain folder the key is
 * `name/size`. Octets below 0x21, above 0x7E and `%` are written `%XX`. Every line ends with LF: a file that was cut off is not taken for a
 * whole one.
 */
const HEADER = "postern-uidl 1";
/** Octets of an id at most (RFC 1939, section 7). */
const LONGEST_ID = 70;
/** Octets of a key: a name, a slash and a size. */
const LONGEST_KEY = 255 + 17;
/** Lines that are gone through between two looks at the clock. */
const LINES_A_LOOK = 256;
/** Lines that are written at once. */
const LINES_A_PART = 4096;

/** The id that a message has for good. */
export interface KeptLine {
  /** The unique part of the file name; in a plain folder, name and size with a slash between. */
  readonly key: string;
  readonly id: string;
  /** The message's place; undefined where it follows those that have one, by its delivery time. */
  readonly order: number | undefined;
  /** Since when the message is gone, seconds since 1970; undefined while it is there. */
  readonly gone: number | undefined;
}

/** What keeps a `.postern-uidl` from being used. Nothing of the file's content stands in the message. */
export class DamagedLinesError extends Error {
  override name = "DamagedLinesError";
}

/**
 * Says what keeps a text from being a unique-id: 1–70 octets 0x21–0x7E (RFC 1939, section 7).
 *
 * @returns undefined when it can be one, else the reason in words
 */
export function refuseId(id: string): string | undefined {
  if (id === "") return "the id is empty";
  if (!/^[\x21-\x7e]*$/.test(id)) return "the id has characters other than 0x21 to 0x7E";
  return id.length > LONGEST_ID ? `the id is longer than ${LONGEST_ID} octets` : undefined;
}

/**
 * Reads the text.
 *
 * @param most lines that are taken memory for
 * @param task lets others run in between
 * @throws {DamagedLinesError} when it is not whole, or not of this version
 */
export async function readLines(
  octets: Uint8Array<ArrayBuffer>,
  most: number,
  task: YieldingTask,
): Promise<KeptLine[]> {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("latin1");
  if (!text.startsWith(`${HEADER}\n`)) {
    throw new DamagedLinesError(`it does not begin with a line "${HEADER}"`);
  }
  if (!text.endsWith("\n")) throw new DamagedLinesError("its last line is cut off");
  const lines: KeptLine[] = [];
  for (let start = HEADER.length + 1; start < text.length;) {
    const end = text.indexOf("\n", start);
    if (lines.length === most) throw new DamagedLinesError(`it has more than ${most} lines`);
    const line = readLine(text.slice(start, end));
    if (line === undefined) {
      throw new DamagedLinesError(
        `its line ${lines.length + 2} is not of the form unique part, TAB, id, TAB, order`,
      );
    }
    lines.push(line);
    start = end + 1;
    if (lines.length % LINES_A_LOOK === 0 && task.due()) await task.pause();
  }
  return lines;
}

function readLine(line: string): KeptLine | undefined {
  const fields = line.split("\t");
  const [written = "", writtenId, order = "", gone = ""] = fields;
  if (writtenId === undefined || fields.length > 4) return undefined;
  const key = unescape(written);
  const id = unescape(writtenId);
  if (key === undefined || key === "" || key.length > LONGEST_KEY) return undefined;
  if (id === undefined || refuseId(id) !== undefined) return undefined;
  if (!/^\d{0,15}$/.test(order) || !/^\d{0,12}$/.test(gone)) return undefined;
  return {
    key,
    id,
    order: order === "" ? undefined : Number(order),
    gone: gone === "" ? undefined : Number(gone),
  };
}

/**
 * Writes the text.
 *
 * @param task lets others run in between
 * @returns parts, to be written one after the other
 */
export async function writeLines(
  lines: readonly KeptLine[],
  task: YieldingTask,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const encoder = new TextEncoder();
  const parts = [encoder.encode(`${HEADER}\n`)];
  for (let at = 0; at < lines.length; at += LINES_A_PART) {
    const texts = lines.slice(at, at + LINES_A_PART).map(lineText);
    parts.push(encoder.encode(texts.join("")));
    if (task.due()) await task.pause();
  }
  return parts;
}

function lineText({ key, id, order, gone }: KeptLine): string {
  const fields = [escape(key), escape(id)];
  if (order !== undefined || gone !== undefined) fields.push(`${order ?? ""}`);
  if (gone !== undefined) fields.push(`${gone}`);
  return `${fields.join("\t")}\n`;
}

/** Writes octets other than 0x21–0x7E, and `%`, as `%XX`. */
function escape(text: string): string {
  if (/^[\x21-\x24\x26-\x7e]*$/.test(text)) return text;
  let escaped = "";
  for (const octet of new TextEncoder().encode(text)) {
    const isPlain = octet > 0x20 && octet < 0x7f && octet !== 0x25;
    escaped += isPlain
      ? String.fromCharCode(octet)
      : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}

/** The opposite of {@linkcode escape}; undefined for what it cannot have written. */
function unescape(text: string): string | undefined {
  if (/^[\x21-\x24\x26-\x7e]*$/.test(text)) return text;
  if (!/^(?:[\x21-\x24\x26-\x7e]|%[0-9A-Fa-f]{2})*$/.test(text)) return undefined;
  const octets = text.replaceAll(
    /%(..)/g,
    (_, hex: string) => String.fromCharCode(parseInt(hex, 16)),
  );
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(octets, "latin1"));
  } catch {
    // Names that are not UTF-8 are never served, so none has a line.
    return undefined;
  }
}
