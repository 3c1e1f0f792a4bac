/** The cache dot file's octets: what is known of a mailbox's files, to be read in a few milliseconds for 100 000 of them. */

import { crc32 } from "node:zlib";
import { Folder, Mark, MessageIndex } from "./message_index.ts";
import type { FolderStamp } from "./folder_stamp.ts";
import { compareNames } from "../naming/maildir_name.ts";

/*
 * Header, 128 octets, numbers in the machine's own order (which the version word tells: elsewhere it reads as another number):
 *   0  u32 version word        4  u32 CRC-32 of all that follows
 *   8  u32 rows               12  u32 octets of names
 *  16  f64 × 8                what listed folders looked like: new/'s device, inode, time; cur/'s device, inode, time; then new/'s and
 *                             cur/'s time of change (NaN: do not trust; older versions left the last two 0)
 *  80  f64 × 3                running time when it was written; inode and birth time of the file that it was written into
 * 104  u8 × 8                 which running time that is
 * 112  … zeros
 * Then columns of f64: size, storedSize, modified, firstRetrieved; columns of u8: folders, marks; names in UTF-8, joined by slashes,
 * which no name holds.
 */
const VERSION_WORD = 0x50_4f_43_01;
const HEADER = 128;
const STAMPS_AT = 16;
const STAMP_FLOATS = 8;
const ORIGIN_AT = 80;
const ORIGIN_FLOATS = 3;
const RUNNING_ID_AT = 104;
const RUNNING_ID_OCTETS = 8;
const FLOAT_COLUMNS = 4;
const OCTETS_A_ROW = FLOAT_COLUMNS * 8 + 2;
const MAX_NAME = 255;
/** Largest cache that is read, in octets: three million messages. A bigger one is as good as none. */
export const MAX_CACHE_SIZE = 256 * 1024 * 1024;

/** What a cache holds. */
export interface CacheContents {
  readonly messageIndex: MessageIndex;
  /** Of `new/` and `cur/`; undefined where the rows must be held against a new listing. */
  readonly stamps: { readonly new: FolderStamp; readonly cur: FolderStamp } | undefined;
  readonly origin: CacheOrigin;
}

/** When a cache was written, and into which file: a copy of it lies in another one. */
export interface CacheOrigin {
  /** See {@linkcode RunningTime.id}. */
  readonly runningId: string;
  /** See {@linkcode RunningTime.now}. */
  readonly running: number;
  readonly inode: number;
  /** When the file came to be, milliseconds since 1970; 0 where the file system does not tell. */
  readonly born: number;
}

/** Writes a cache's octets. */
export function encodeCache(contents: CacheContents): Uint8Array<ArrayBuffer> {
  const { messageIndex, stamps, origin } = contents;
  const rows = messageIndex.length;
  const names = new TextEncoder().encode(messageIndex.names.join("/"));
  const octets = new Uint8Array(HEADER + rows * OCTETS_A_ROW + names.length);
  const words = new Uint32Array(octets.buffer, 0, 4);
  const floats = new Float64Array(octets.buffer, STAMPS_AT, STAMP_FLOATS).fill(NaN);
  if (stamps !== undefined) {
    const { new: fresh, cur } = stamps;
    floats.set([fresh.device, fresh.inode, fresh.modified, cur.device, cur.inode, cur.modified]);
    floats.set([fresh.changed, cur.changed], 6);
  }
  encodeOrigin(octets, origin);
  let at = HEADER;
  for (const column of floatColumns(messageIndex)) {
    new Float64Array(octets.buffer, at, rows).set(column);
    at += rows * 8;
  }
  octets.set(messageIndex.folders, at);
  octets.set(messageIndex.marks, at + rows);
  octets.set(names, at + 2 * rows);
  words[0] = VERSION_WORD;
  words[2] = rows;
  words[3] = names.length;
  words[1] = crc32(octets.subarray(8));
  return octets;
}

/**
 * Reads a cache's octets. Nothing in them is believed that could reach outside the mailbox or announce an impossible size.
 *
 * @param octets from the start of a buffer
 * @returns undefined when they are no cache of this version and machine, or damaged
 */
export function decodeCache(octets: Uint8Array<ArrayBuffer>): CacheContents | undefined {
  if (octets.length < HEADER || octets.byteOffset !== 0) return undefined;
  const [version, checksum, rows, nameOctets] = new Uint32Array(octets.buffer, 0, 4) as unknown as [
    number,
    number,
    number,
    number,
  ];
  if (version !== VERSION_WORD || octets.length !== HEADER + rows * OCTETS_A_ROW + nameOctets) {
    return undefined;
  }
  if (crc32(octets.subarray(8)) !== checksum) return undefined;
  const names = decodeNames(octets.subarray(octets.length - nameOctets), rows);
  if (names === undefined) return undefined;
  const column = (index: number): Float64Array =>
    new Float64Array(octets.buffer, HEADER + index * rows * 8, rows);
  const bytes = HEADER + FLOAT_COLUMNS * rows * 8;
  const messageIndex = new MessageIndex(names, octets.subarray(bytes, bytes + rows), {
    marks: octets.subarray(bytes + rows, bytes + 2 * rows),
    size: column(0),
    storedSize: column(1),
    modified: column(2),
    firstRetrieved: column(3),
  });
  if (!isPossible(messageIndex)) return undefined;
  mendEmpty(messageIndex);
  return {
    messageIndex,
    stamps: decodeStamps(new Float64Array(octets.buffer, STAMPS_AT, STAMP_FLOATS)),
    origin: decodeOrigin(octets),
  };
}

function floatColumns(messageIndex: MessageIndex): readonly Float64Array[] {
  return [
    messageIndex.size,
    messageIndex.storedSize,
    messageIndex.modified,
    messageIndex.firstRetrieved,
  ];
}

function encodeOrigin(octets: Uint8Array<ArrayBuffer>, origin: CacheOrigin): void {
  const { runningId, running, inode, born } = origin;
  new Float64Array(octets.buffer, ORIGIN_AT, ORIGIN_FLOATS).set([running, inode, born]);
  octets.set(Uint8Array.fromHex(runningId), RUNNING_ID_AT);
}

function decodeOrigin(octets: Uint8Array<ArrayBuffer>): CacheOrigin {
  const floats = new Float64Array(octets.buffer, ORIGIN_AT, ORIGIN_FLOATS);
  const [running = NaN, inode = NaN, born = NaN] = floats;
  const runningId = octets.subarray(RUNNING_ID_AT, RUNNING_ID_AT + RUNNING_ID_OCTETS).toHex();
  return { runningId, running, inode, born };
}

function decodeStamps(floats: Float64Array): CacheContents["stamps"] {
  const [device, inode, modified, curDevice, curInode, curModified, changed, curChanged] =
    floats as unknown as [number, number, number, number, number, number, number, number];
  if (floats.some(Number.isNaN) || changed === 0 || curChanged === 0) return undefined;
  return {
    new: { device, inode, modified, changed },
    cur: { device: curDevice, inode: curInode, modified: curModified, changed: curChanged },
  };
}

/** The names, or undefined when one could not be a message's: a slash in it would make one row two. */
function decodeNames(octets: Uint8Array, rows: number): string[] | undefined {
  if (rows === 0) return octets.length === 0 ? [] : undefined;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
  if (text.includes("\0")) return undefined;
  const names = text.split("/");
  if (names.length !== rows) return undefined;
  return names.every((name) => name !== "" && name.length <= MAX_NAME && name[0] !== ".")
    ? names
    : undefined;
}

/** An empty message was once counted as none; it is sent as one empty line. */
function mendEmpty({ size, storedSize, marks }: MessageIndex): void {
  storedSize.forEach((stored, row) => {
    if (stored !== 0) return;
    size[row] = 2;
    marks[row]! &= ~Mark.VERBATIM;
  });
}

/** Whether every row could be true: each file once and in order; a line end can gain one octet, and a missing last one two. */
function isPossible(messageIndex: MessageIndex): boolean {
  const { names, size, storedSize, folders, firstRetrieved } = messageIndex;
  for (let row = 0; row < messageIndex.length; row++) {
    if (row > 0) {
      const order = compareNames(names[row - 1]!, names[row]!);
      if (order > 0 || (order === 0 && folders[row - 1]! >= folders[row]!)) return false;
    }
    if (folders[row]! > Folder.PLAIN || !(firstRetrieved[row]! >= 0)) return false;
    const stored = storedSize[row]!;
    if (Number.isNaN(stored)) continue;
    const sent = size[row]!;
    if (!Number.isSafeInteger(stored) || !Number.isSafeInteger(sent)) return false;
    if (stored < 0 || sent < stored || sent > 2 * stored + 2) return false;
  }
  return true;
}
