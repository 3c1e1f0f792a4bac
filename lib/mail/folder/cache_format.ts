/** The cache dot file's octets: what is known of a mailbox's files, to be read in a few milliseconds for 100 000 of them. */

import { crc32 } from "node:zlib";
import type { YieldingTask } from "../../async/yielder.ts";
import { Folder, Mark, MessageIndex } from "./message_index.ts";
import type { FolderStamp } from "./folder_stamp.ts";
import { learnIdParts, packIdParts, takeOverRows } from "../naming/kept_id_parts.ts";
import { compareIdentities } from "../naming/maildir_name.ts";
import { NameTable } from "../listing/name_table.ts";

/*
 * Header, 128 octets, numbers in the machine's own order (which the version word tells: elsewhere it reads as another number):
 *   0  u32 version word        4  u32 CRC-32 of all that follows
 *   8  u32 rows               12  u32 octets of names
 *  16  f64 × 8                what listed folders looked like: new/'s device, inode, time; cur/'s device, inode, time; then new/'s and
 *                             cur/'s time of change (NaN: do not trust; older versions left the last two 0)
 *  80  f64 × 3                running time when it was written; inode and birth time of the file that it was written into
 * 104  u8 × 8                 which running time that is
 * 112  u32 minor version     116  u32 octets of id parts       120  u32 id parts (all 0 in older versions)
 * Then columns of f64: size, storedSize, modified, firstRetrieved; columns of u8: folders, marks; names in UTF-8, joined by slashes,
 * which no name holds; then what ids are made from where that is not the name (kept_id_parts.ts).
 */
const VERSION_WORD = 0x50_4f_43_01;
/** Octets of the header. */
export const HEADER = 128;
const CHECKED_FROM = 8;
const STAMPS_AT = 16;
const STAMP_FLOATS = 8;
const ORIGIN_AT = 80;
const ORIGIN_FLOATS = 3;
const RUNNING_ID_AT = 104;
const RUNNING_ID_OCTETS = 8;
const MINOR_AT = 112;
/** Before 1, ids were made from all that stands before `:2,`, and rows were ordered by that. */
const MINOR_VERSION = 1;
const FLOAT_COLUMNS = 4;
const OCTETS_A_ROW = FLOAT_COLUMNS * 8 + 2;
const MAX_NAME = 255;
/** Octets that a row's number and two slashes take among id parts. */
const MAX_ROW = 12;
/** Octets that are checked between two looks at the clock: half a millisecond's work. */
const SLICE = 1024 * 1024;
/** Rows that are checked between two looks at the clock. */
const ROWS_A_LOOK = 64;

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

/** What a cache's header announces. */
export interface CacheHeader {
  readonly checksum: number;
  readonly rows: number;
  readonly nameOctets: number;
  readonly partOctets: number;
  readonly parts: number;
  readonly minor: number;
}

/**
 * Writes a cache's octets, as the rows are at the moment of the call.
 *
 * @param task lets others run in between
 * @returns parts, to be written one after the other
 */
export async function encodeCache(
  { messageIndex, stamps, origin }: CacheContents,
  task: YieldingTask,
): Promise<Uint8Array[]> {
  const { size, storedSize, modified, firstRetrieved, folders, marks } = messageIndex.columns();
  const ids = new Map(messageIndex.idParts);
  const names = await messageIndex.names.joined(task);
  const idParts = await packIdParts(ids, task);
  const header = new Uint8Array(HEADER);
  const words = new Uint32Array(header.buffer, 0, 4);
  words[0] = VERSION_WORD;
  words[2] = folders.length;
  words[3] = names.length;
  new Uint32Array(header.buffer, MINOR_AT, 3).set([MINOR_VERSION, idParts.length, ids.size]);
  encodeStamps(new Float64Array(header.buffer, STAMPS_AT, STAMP_FLOATS), stamps);
  encodeOrigin(header, origin);
  const floats = [size, storedSize, modified, firstRetrieved].map(octetsOf);
  const parts = [header, ...floats, folders, marks, names, idParts];
  const checked = [header.subarray(CHECKED_FROM), ...parts.slice(1)];
  let checksum = 0;
  for (const part of checked) checksum = await addToChecksum(checksum, part, task);
  words[1] = checksum;
  return parts;
}

function octetsOf({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Adds octets to a CRC-32. */
async function addToChecksum(
  checksum: number,
  octets: Uint8Array,
  task: YieldingTask,
): Promise<number> {
  for (let at = 0; at < octets.length; at += SLICE) {
    checksum = crc32(octets.subarray(at, at + SLICE), checksum);
    if (task.due()) await task.pause();
  }
  return checksum;
}

/**
 * Reads what a cache announces, before any memory is taken for it.
 *
 * @param octets its first {@linkcode HEADER} ones, or all of it
 * @param fileSize octets that it has in all
 * @returns undefined when it is no cache of this version and machine, or has another size than it announces
 */
export function decodeHeader(
  octets: Uint8Array<ArrayBuffer>,
  fileSize: number,
): CacheHeader | undefined {
  if (octets.length < HEADER || octets.byteOffset !== 0) return undefined;
  const [version, checksum = 0, rows = 0, nameOctets = 0] = new Uint32Array(octets.buffer, 0, 4);
  const [minor = 0, partOctets = 0, parts = 0] = new Uint32Array(octets.buffer, MINOR_AT, 3);
  const announced = HEADER + rows * OCTETS_A_ROW + nameOctets + partOctets;
  if (version !== VERSION_WORD || minor > MINOR_VERSION || fileSize !== announced) return undefined;
  // With the slashes between them.
  if (nameOctets > rows * (MAX_NAME + 1)) return undefined;
  if (parts > rows || partOctets > parts * (MAX_NAME + MAX_ROW)) return undefined;
  return { checksum, rows, nameOctets, partOctets, parts, minor };
}

/**
 * Reads a cache's octets. Nothing in them is believed that could reach outside the mailbox or announce an impossible size.
 *
 * @param octets from the start of a buffer, which the rows are taken from
 * @param task lets others run in between
 * @returns undefined when they are no cache of this version and machine, or damaged
 */
export async function decodeCache(
  octets: Uint8Array<ArrayBuffer>,
  task: YieldingTask,
): Promise<CacheContents | undefined> {
  const header = decodeHeader(octets, octets.length);
  if (header === undefined) return undefined;
  const { checksum, rows, nameOctets, partOctets, parts, minor } = header;
  if (await addToChecksum(0, octets.subarray(CHECKED_FROM), task) !== checksum) return undefined;
  const partsAt = octets.length - partOctets;
  const names = await NameTable.read(octets.subarray(partsAt - nameOctets, partsAt), rows, task);
  if (names === undefined) return undefined;
  const column = (index: number): Float64Array =>
    new Float64Array(octets.buffer, HEADER + index * rows * 8, rows);
  const bytes = HEADER + FLOAT_COLUMNS * rows * 8;
  const read = new MessageIndex(names, octets.subarray(bytes, bytes + rows), {
    marks: octets.subarray(bytes + rows, bytes + 2 * rows),
    size: column(0),
    storedSize: column(1),
    modified: column(2),
    firstRetrieved: column(3),
  });
  const messageIndex = minor < MINOR_VERSION ? await takeOverRows(read, task) : read;
  const parted = octets.subarray(partsAt);
  if (!await learnIdParts(messageIndex, parted, parts, task)) return undefined;
  if (!await isPossible(messageIndex, task)) return undefined;
  const stamps = decodeStamps(new Float64Array(octets.buffer, STAMPS_AT, STAMP_FLOATS));
  return { messageIndex, stamps, origin: decodeOrigin(octets) };
}

function encodeStamps(floats: Float64Array, stamps: CacheContents["stamps"]): void {
  floats.fill(NaN);
  if (stamps === undefined) return;
  const { new: fresh, cur } = stamps;
  floats.set([fresh.device, fresh.inode, fresh.modified, cur.device, cur.inode, cur.modified]);
  floats.set([fresh.changed, cur.changed], 6);
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

/** Whether every row could be true, each file once and in order. What an older version measured otherwise is mended. */
async function isPossible(messageIndex: MessageIndex, task: YieldingTask): Promise<boolean> {
  const { names } = messageIndex;
  /** Where files of the present identity lie; undefined while there is one. */
  let places: Set<string> | undefined;
  for (let row = 0, before = ""; row < messageIndex.length; row++) {
    const name = names.at(row);
    if (!isNamePossible(name) || !isRowPossible(messageIndex, row)) return false;
    const order = row === 0 ? -1 : compareIdentities(before, name);
    if (order > 0) return false;
    if (order < 0) places = undefined;
    else {
      places ??= new Set([placeOf(messageIndex, row - 1)]);
      const { size } = places;
      if (places.add(placeOf(messageIndex, row)).size === size) return false;
    }
    mendEmpty(messageIndex, row);
    before = name;
    if (row % ROWS_A_LOOK === 0 && task.due()) await task.pause();
  }
  return true;
}

function placeOf({ names, folders }: MessageIndex, row: number): string {
  return `${folders[row]}/${names.at(row)}`;
}

/** Whether a name can be a message's. */
function isNamePossible(name: string): boolean {
  return name !== "" && name.length <= MAX_NAME && name[0] !== "." && !name.includes("\0");
}

/** Whether a row's figures can be true: a line end can gain one octet, and a missing last one two. */
function isRowPossible(messageIndex: MessageIndex, row: number): boolean {
  const { size, storedSize, folders, firstRetrieved } = messageIndex;
  if (folders[row]! > Folder.PLAIN || !(firstRetrieved[row]! >= 0)) return false;
  const stored = storedSize[row]!;
  if (Number.isNaN(stored)) return true;
  const sent = size[row]!;
  return Number.isSafeInteger(stored) && Number.isSafeInteger(sent) && stored >= 0 &&
    sent >= stored && sent <= 2 * stored + 2;
}

/** An empty message was once counted as none; it is sent as one empty line. */
function mendEmpty({ size, storedSize, marks }: MessageIndex, row: number): void {
  if (storedSize[row] !== 0) return;
  size[row] = 2;
  marks[row]! &= ~Mark.VERBATIM;
}
