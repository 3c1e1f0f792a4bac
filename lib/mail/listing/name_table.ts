/** File names, packed: a million strings would take three times as much memory. */

import { Buffer } from "node:buffer";
import type { YieldingTask } from "../../async/yielder.ts";

const SLASH = 0x2f;
/** Octets that are searched between two looks at the clock. */
const SLICE = 64 * 1024;
/** Rows that are packed between two looks at the clock. */
const ROWS_A_LOOK = 256;
/** Octets that a name of so many UTF-16 units may have. */
const OCTETS_A_UNIT = 3;
/** Octets that a packer keeps free. */
const SLACK = 1024;
/** Octets up to which names get memory of exactly their size. */
const SMALL = 64 * 1024;

/** Names by row, in UTF-8. */
export class NameTable {
  /** All names as they were at first, joined by slashes, which no name holds. */
  readonly #octets: Uint8Array<ArrayBuffer>;
  /** The same, to be read from: twice as quick as a `TextDecoder` for short texts. */
  readonly #reader: Buffer;
  /** Where each begins, and where one behind the last would. */
  readonly #starts: Uint32Array;
  /** Those that were renamed since. */
  #renamed: Map<number, string> | undefined;

  /**
   * Takes over octets.
   *
   * @param octets names joined by slashes
   * @param starts where each begins, and where one behind the last would
   */
  constructor(octets: Uint8Array<ArrayBuffer>, starts: Uint32Array) {
    this.#octets = octets;
    this.#reader = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
    this.#starts = starts;
  }

  /** Packs names. */
  static of(names: readonly string[]): NameTable {
    const packer = new NamePacker(names.length);
    for (const name of names) packer.add(name);
    return packer.table();
  }

  /**
   * Finds so many names in octets.
   *
   * @returns undefined when there are fewer or more
   */
  static async read(
    octets: Uint8Array<ArrayBuffer>,
    rows: number,
    task: YieldingTask,
  ): Promise<NameTable | undefined> {
    const starts = new Uint32Array(rows + 1);
    if (rows === 0) return octets.length === 0 ? new NameTable(octets, starts) : undefined;
    let row = 0;
    for (let at = 0; at < octets.length; at += SLICE) {
      const slice = octets.subarray(at, at + SLICE);
      for (let slash = slice.indexOf(SLASH); slash >= 0; slash = slice.indexOf(SLASH, slash + 1)) {
        if (++row >= rows) return undefined;
        starts[row] = at + slash + 1;
      }
      if (task.due()) await task.pause();
    }
    if (row !== rows - 1) return undefined;
    starts[rows] = octets.length + 1;
    return new NameTable(octets, starts);
  }

  /** Rows. */
  get length(): number {
    return this.#starts.length - 1;
  }

  /**
   * A row's name.
   *
   * @throws {RangeError} when there is no such row
   */
  at(row: number): string {
    const renamed = this.#renamed?.get(row);
    if (renamed !== undefined) return renamed;
    const next = this.#starts[row + 1];
    if (next === undefined) {
      throw new RangeError(`There is no row ${row} among ${this.length} names.`);
    }
    return this.#reader.toString("utf8", this.#starts[row], next - 1);
  }

  /** Gives a row another name. */
  rename(row: number, name: string): void {
    (this.#renamed ??= new Map()).set(row, name);
  }

  /** All names as they are now, joined by slashes. */
  async joined(task: YieldingTask): Promise<Uint8Array> {
    return this.#renamed === undefined ? this.#octets : (await this.only(undefined, task)).#octets;
  }

  /**
   * Makes a table of some rows as they are now.
   *
   * @param rows which, in order; undefined for all
   */
  async only(rows: Uint32Array | undefined, task: YieldingTask): Promise<NameTable> {
    // A name may change between two steps.
    const now = new NameTable(this.#octets, this.#starts);
    now.#renamed = this.#renamed && new Map(this.#renamed);
    const length = rows?.length ?? this.length;
    const packer = new NamePacker(length, rows === undefined ? this.#octets.length : 0);
    for (let index = 0; index < length; index++) {
      packer.add(now.at(rows?.[index] ?? index));
      if (index % ROWS_A_LOOK === 0 && task.due()) await task.pause();
    }
    return packer.table();
  }
}

/** Packs names one after the other. */
export class NamePacker {
  #octets: Uint8Array<ArrayBuffer>;
  readonly #starts: Uint32Array;
  #rows = 0;

  /**
   * @param rows names at most
   * @param octets that they will take, as far as that is known
   */
  constructor(rows: number, octets = 0) {
    this.#starts = new Uint32Array(rows + 1);
    // What a name of unknown letters may take stays free, so that it need not grow for the last one.
    this.#octets = new Uint8Array(octets === 0 ? 0 : octets + SLACK);
  }

  /** Adds a name. */
  add(name: string): void {
    const start = this.#starts[this.#rows]!;
    const most = start + name.length * OCTETS_A_UNIT + 1;
    if (most > this.#octets.length) {
      const grown = new Uint8Array(Math.max(most, Math.ceil(this.#octets.length * 1.5)));
      grown.set(this.#octets);
      this.#octets = grown;
    }
    const end = start + encodeInto(name, this.#octets, start);
    this.#octets[end] = SLASH;
    this.#starts[++this.#rows] = end + 1;
  }

  /** The names that were added. */
  table(): NameTable {
    const octets = this.#octets.subarray(0, Math.max(0, this.#starts[this.#rows]! - 1));
    // Thousands of idle sessions each hold a few names: no more than these.
    const own = octets.length < SMALL ? octets.slice() : octets;
    return new NameTable(own, this.#starts.subarray(0, this.#rows + 1));
  }
}

const encoder = new TextEncoder();

/** Writes a name in UTF-8, and tells how many octets it has. */
export function encodeInto(name: string, octets: Uint8Array, start: number): number {
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at);
    // Rarely is a name other than ASCII, for which the encoder takes three times as long.
    if (unit >= 0x80) return encoder.encodeInto(name, octets.subarray(start)).written;
    octets[start + at] = unit;
  }
  return name.length;
}
