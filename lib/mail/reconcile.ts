/** Brings what a cache knows of a mailbox together with what its folders list now. */

import { Catalogue, type Folder } from "./catalogue.ts";
import { isFileError } from "./file_error.ts";
import type { Listing, Mailbox } from "./mailbox.ts";
import { compareNames, deliveryTime, uniquePart } from "./maildir_name.ts";

/** A listed mailbox. */
export interface Reconciled {
  readonly catalogue: Catalogue;
  /** Whether a file came, went or changed its name. */
  readonly changed: boolean;
}

/**
 * Makes a catalogue of exactly the listed files, in the order of their numbers, each with all that was known of it. A file is known by its
 * unique part: flags and folder may have changed. In a plain folder it is known by its name.
 *
 * @param known an earlier catalogue, in order
 */
export function reconcile(mailbox: Mailbox, listing: Listing, known?: Catalogue): Reconciled {
  if (known === undefined || known.length === 0) {
    const rows = listing.names.map((_, index) => index);
    return { catalogue: fill(listing, sortRows(listing, rows)), changed: rows.length > 0 };
  }
  const matches = match(mailbox, listing, known);
  const listedOf = new Int32Array(known.length).fill(-1);
  const fresh: number[] = [];
  matches.forEach((row, index) => row < 0 ? fresh.push(index) : listedOf[row] = index);
  // Known files stand in the order that they had.
  const inOrder: number[] = [];
  for (const index of listedOf) if (index >= 0) inOrder.push(index);
  const order = merge(listing, inOrder, sortRows(listing, fresh));
  const catalogue = fill(listing, order);
  for (let row = 0; row < order.length; row++) {
    const from = matches[order[row]!]!;
    if (from >= 0) catalogue.learn(row, known, from);
  }
  let changed = catalogue.length !== known.length || fresh.length > 0;
  for (let row = 0; row < known.length && !changed; row++) {
    changed = known.names[row] !== catalogue.names[row] ||
      known.folders[row] !== catalogue.folders[row];
  }
  return { catalogue, changed };
}

/** For each listed file, the row that knows it, or -1. */
function match(mailbox: Mailbox, listing: Listing, known: Catalogue): Int32Array {
  const keyOf = mailbox.layout === "maildir" ? uniquePart : (name: string) => name;
  const rows = new Map<string, number>();
  const twins = new Twins(known);
  known.names.forEach((name, row) => {
    const key = keyOf(name);
    const first = rows.get(key);
    if (first === undefined) rows.set(key, row);
    else twins.add(key, first, row);
  });
  const matches = new Int32Array(listing.names.length).fill(-1);
  const renamed = new Map<string, number[]>();
  listing.names.forEach((name, index) => {
    const key = keyOf(name);
    const row = rows.get(key);
    if (row === undefined) return;
    if (twins.has(key)) {
      matches[index] = twins.take(
        key,
        name,
        listing.folders[index]!,
        pathOf(mailbox, listing, index),
      );
    } else if (known.names[row] === name && known.folders[row] === listing.folders[index]) {
      matches[index] = row;
      rows.delete(key);
    } else append(renamed, key, index);
  });
  // Only now, when those that kept their names have their rows: a second file of a unique part is another message.
  for (const [key, indexes] of renamed) {
    const row = rows.get(key);
    if (row === undefined) continue;
    const index = indexes.length === 1
      ? indexes[0]
      : indexes.find((each) => looksLike(known, row, lookAt(pathOf(mailbox, listing, each))));
    if (index !== undefined) matches[index] = row;
  }
  return matches;
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
function looksLike(known: Catalogue, row: number, info: Deno.FileInfo | undefined): boolean {
  return info !== undefined && known.storedSize[row] === info.size &&
    known.modified[row] === info.mtime?.getTime();
}

/** Rows that share their unique part with others. */
class Twins {
  /** Rows of a unique part that are tried for a file with a new name; more are no accident, and would cost their square. */
  static readonly #TRIED = 16;
  readonly #known: Catalogue;
  readonly #rowsOf = new Map<string, Set<number>>();
  readonly #rowOf = new Map<string, number>();

  constructor(known: Catalogue) {
    this.#known = known;
  }

  add(key: string, ...rows: number[]): void {
    const all = this.#rowsOf.get(key) ?? new Set();
    this.#rowsOf.set(key, all);
    for (const row of rows) {
      all.add(row);
      this.#rowOf.set(`${this.#known.folders[row]}/${this.#known.names[row]}`, row);
    }
  }

  has(key: string): boolean {
    return this.#rowsOf.has(key);
  }

  /** Finds the row that is this file, by name and folder, else by what the file says, and takes it out; -1 when there is none. */
  take(key: string, name: string, folder: Folder, path: string): number {
    const rows = this.#rowsOf.get(key)!;
    const exact = this.#rowOf.get(`${folder}/${name}`);
    const row = exact !== undefined && rows.has(exact) ? exact : this.#findByLooks(rows, path);
    if (row === undefined) return -1;
    rows.delete(row);
    return row;
  }

  #findByLooks(rows: ReadonlySet<number>, path: string): number | undefined {
    const info = lookAt(path);
    return [...rows.values().take(Twins.#TRIED)].find((row) => looksLike(this.#known, row, info));
  }
}

function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    // Gone again, or not to be read: the survey will tell.
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

function fill(listing: Listing, order: readonly number[]): Catalogue {
  const folders = Uint8Array.from(order, (index): Folder => listing.folders[index]!);
  return new Catalogue(order.map((index) => listing.names[index]!), folders);
}
