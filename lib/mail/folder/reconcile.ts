/** Brings what a cache knows of a mailbox together with what its folders list now. */

import { type Folder, MessageIndex } from "./message_index.ts";
import { isFileError } from "../../files/file_error.ts";
import { type FileLook, lookAtName } from "./file_look.ts";
import type { Listing, Mailbox } from "./mailbox.ts";
import { compareNames, deliveryTime, uniquePart } from "../naming/maildir_name.ts";

/** Renamed files of one unique part that are told apart; more than two are an accident already. */
const MOST_TWINS = 16;

/** A listed mailbox. */
export interface Reconciled {
  readonly messageIndex: MessageIndex;
  /** Whether a file came, went or changed its name. */
  readonly changed: boolean;
}

/**
 * Makes a message index of exactly the listed files, in the order of their numbers, each with all that was known of it. A file is known by its
 * unique part: flags and folder may have changed. In a plain folder it is known by its name.
 *
 * @param known an earlier message index, in order
 */
export function reconcile(mailbox: Mailbox, listing: Listing, known?: MessageIndex): Reconciled {
  if (known === undefined || known.length === 0) {
    const rows = listing.names.map((_, index) => index);
    return { messageIndex: fill(listing, sortRows(listing, rows)), changed: rows.length > 0 };
  }
  const matches = match(mailbox, listing, known);
  const listedOf = new Int32Array(known.length).fill(-1);
  const fresh: number[] = [];
  matches.forEach((row, index) => row < 0 ? fresh.push(index) : listedOf[row] = index);
  // Known files stand in the order that they had.
  const inOrder: number[] = [];
  for (const index of listedOf) if (index >= 0) inOrder.push(index);
  const order = merge(listing, inOrder, sortRows(listing, fresh));
  const messageIndex = fill(listing, order);
  for (let row = 0; row < order.length; row++) {
    const from = matches[order[row]!]!;
    if (from >= 0) messageIndex.learn(row, known, from);
  }
  let changed = messageIndex.length !== known.length || fresh.length > 0;
  for (let row = 0; row < known.length && !changed; row++) {
    changed = known.names[row] !== messageIndex.names[row] ||
      known.folders[row] !== messageIndex.folders[row];
  }
  return { messageIndex, changed };
}

/** For each listed file, the row that knows it, or -1. Most have their names still; unique parts are compared for the others only. */
function match(mailbox: Mailbox, listing: Listing, known: MessageIndex): Int32Array {
  const rowOf = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  for (let row = 0; row < known.length; row++) {
    rowOf[known.folders[row]!]!.set(known.names[row]!, row);
  }
  const matches = new Int32Array(listing.names.length).fill(-1);
  const isFound = new Uint8Array(known.length);
  const others: number[] = [];
  for (let index = 0; index < matches.length; index++) {
    const row = rowOf[listing.folders[index]!]!.get(listing.names[index]!);
    if (row === undefined) {
      others.push(index);
    } else {
      matches[index] = row;
      isFound[row] = 1;
    }
  }
  if (others.length > 0 && mailbox.layout === "maildir") {
    const rows = [...known.names.keys()].filter((row) => isFound[row] === 0);
    matchRenamed(mailbox, listing, known, rows, others, matches);
  }
  return matches;
}

/** Finds, for files whose names are new, rows of the same unique part whose names are gone. */
function matchRenamed(
  mailbox: Mailbox,
  listing: Listing,
  known: MessageIndex,
  rows: readonly number[],
  indexes: readonly number[],
  matches: Int32Array,
): void {
  const rowsOf = new Map<string, number[]>();
  for (const row of rows) append(rowsOf, uniquePart(known.names[row]!), row);
  const indexesOf = new Map<string, number[]>();
  for (const index of indexes) append(indexesOf, uniquePart(listing.names[index]!), index);
  for (const [unique, files] of indexesOf) {
    const gone = rowsOf.get(unique) ?? [];
    if (gone.length === 1 && files.length === 1) {
      matches[files[0]!] = gone[0]!;
      continue;
    }
    // Several: what the files say tells them apart. Great numbers are no accident, and would cost their square.
    const left = new Set(gone.slice(0, MOST_TWINS));
    for (const index of left.size === 0 ? [] : files.slice(0, MOST_TWINS)) {
      const look = lookAt(pathOf(mailbox, listing, index));
      const row = [...left].find((each) => looksLike(known, each, look));
      if (row === undefined) continue;
      matches[index] = row;
      left.delete(row);
    }
  }
}

function append(lists: Map<string, number[]>, key: string, value: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function pathOf(mailbox: Mailbox, listing: Listing, index: number): string {
  return `${mailbox.folders.get(listing.folders[index]!)!.path}/${listing.names[index]}`;
}

/** Whether a file has the size and the time that a row tells. */
function looksLike(known: MessageIndex, row: number, look: FileLook | undefined): boolean {
  return look !== undefined && known.looksLike(row, look);
}

function lookAt(path: string): FileLook | undefined {
  try {
    return lookAtName(path);
  } catch (error) {
    // Gone again, or not to be read: the scan will tell.
    if (isFileError(error)) return undefined;
    throw error;
  }
}

function compareListed(listing: Listing, a: number, b: number): number {
  return compareNames(listing.names[a]!, listing.names[b]!) ||
    listing.folders[a]! - listing.folders[b]!;
}

/** Times are read once; a hundred thousand names are compared two million times. */
function sortRows(listing: Listing, rows: number[]): number[] {
  const times = new Float64Array(listing.names.length);
  for (const index of rows) times[index] = deliveryTime(listing.names[index]!);
  return rows.sort((a, b) => times[a]! - times[b]! || compareListed(listing, a, b));
}

/** Merges two sorted runs of listed files. */
function merge(listing: Listing, known: number[], fresh: number[]): number[] {
  if (fresh.length === 0) return known;
  const order: number[] = [];
  let next = 0;
  for (const index of known) {
    while (next < fresh.length && compareListed(listing, fresh[next]!, index) < 0) {
      order.push(fresh[next++]!);
    }
    order.push(index);
  }
  return order.concat(fresh.slice(next));
}

function fill(listing: Listing, order: readonly number[]): MessageIndex {
  const folders = Uint8Array.from(order, (index): Folder => listing.folders[index]!);
  return new MessageIndex(order.map((index) => listing.names[index]!), folders);
}
