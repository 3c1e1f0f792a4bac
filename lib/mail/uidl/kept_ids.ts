/** The ids that a mailbox's messages have for good: its lines, brought together with the files that are there. */

import { sortInSlices } from "../../async/sort_in_slices.ts";
import type { YieldingTask } from "../../async/yielder.ts";
import { Mark, type MessageIndex } from "../folder/message_index.ts";
import type { Mailbox } from "../folder/mailbox.ts";
import { NamePacker, type NameTable } from "../listing/name_table.ts";
import { identityPart, uniquePart } from "../naming/maildir_name.ts";
import type { KeptLine } from "./uidl_lines.ts";

/** Rows that are gone through between two looks at the clock. */
const ROWS_A_LOOK = 128;
/** Seconds for which the line of a message that is gone stays: it may be in a backup that comes back. */
const GONE_SECONDS = 30 * 24 * 60 * 60;
const NO_LINE = -1;

/** What a row's line is found by: in a plain folder, a name alone tells no message. */
export function keyOf(
  { layout }: Pick<Mailbox, "layout">,
  index: MessageIndex,
  row: number,
): string {
  const name = index.names.at(row);
  return layout === "plain" ? `${name}/${index.storedSize[row]}` : uniquePart(name);
}

/** Finds the row of each of several keys, which came from a file of ids, among a mailbox's files. */
export async function matchKeys(
  mailbox: Mailbox,
  index: MessageIndex,
  keys: readonly string[],
  task: YieldingTask,
): Promise<Int32Array> {
  const lineOf = new Int32Array(index.length).fill(NO_LINE);
  const byKey = new Map<string, number>();
  for (const [at, key] of keys.entries()) {
    if (!byKey.has(key)) byKey.set(key, at);
    if (at % ROWS_A_LOOK === 0 && task.due()) await task.pause();
  }
  const left: number[] = [];
  for (let row = 0; row < index.length; row++) {
    if (row % ROWS_A_LOOK === 0 && task.due()) await task.pause();
    // A twin has its hashed id; the line is its brother's.
    if ((index.marks[row]! & Mark.TWIN) !== 0) continue;
    const key = keyOf(mailbox, index, row);
    const at = byKey.get(key);
    if (at === undefined) left.push(row);
    else {
      lineOf[row] = at;
      // Of two files with one unique part, the first has the line.
      byKey.delete(key);
    }
  }
  if (mailbox.layout === "maildir" && left.length > 0 && byKey.size > 0) {
    await matchIdentities(index, left, byKey, lineOf, task);
  }
  return lineOf;
}

/** Matches files whose sizes in the name another program corrected, or that got `,U=`, by what of the name stays. */
async function matchIdentities(
  index: MessageIndex,
  rows: readonly number[],
  byKey: ReadonlyMap<string, number>,
  lineOf: Int32Array,
  task: YieldingTask,
): Promise<void> {
  const byIdentity = new Map<string, number>();
  let count = 0;
  for (const [key, at] of byKey) {
    const identity = identityPart(key);
    if (!byIdentity.has(identity)) byIdentity.set(identity, at);
    if (++count % ROWS_A_LOOK === 0 && task.due()) await task.pause();
  }
  for (const row of rows) {
    const identity = identityPart(index.names.at(row));
    const at = byIdentity.get(identity);
    if (at !== undefined) {
      lineOf[row] = at;
      byIdentity.delete(identity);
    }
    if (++count % ROWS_A_LOOK === 0 && task.due()) await task.pause();
  }
}

/** Lines and rows of one mailbox. */
export class KeptIds {
  readonly #mailbox: Mailbox;
  readonly #index: MessageIndex;
  /** Those that count, each id once. */
  #lines: KeptLine[];
  /** Their ids, once nothing else of them is needed. */
  #ids: NameTable | undefined;
  /** By row. */
  readonly #lineOf: Int32Array;
  /** All ids; made when a message has none. */
  #taken: Set<string> | undefined;
  #isNews = false;
  #newlyGone = 0;

  private constructor(
    mailbox: Mailbox,
    index: MessageIndex,
    lines: KeptLine[],
    lineOf: Int32Array,
  ) {
    this.#mailbox = mailbox;
    this.#index = index;
    this.#lines = lines;
    this.#lineOf = lineOf;
  }

  /**
   * Brings lines together with all files of a mailbox.
   *
   * @param now seconds since 1970
   * @param task lets others run in between
   */
  static async match(
    lines: readonly KeptLine[],
    mailbox: Mailbox,
    index: MessageIndex,
    now: number,
    task: YieldingTask,
  ): Promise<KeptIds> {
    const once = await eachIdOnce(lines, task);
    const keys = once.map(({ key }) => key);
    const kept = new KeptIds(mailbox, index, once, await matchKeys(mailbox, index, keys, task));
    if (once.length < lines.length) kept.#isNews = true;
    await kept.#noteGone(now, task);
    return kept;
  }

  /** The id that a row's line tells. */
  idOf(row: number): string | undefined {
    const at = this.#lineOf[row]!;
    if (at === NO_LINE) return undefined;
    return this.#ids === undefined ? this.#lines[at]!.id : this.#ids.at(at);
  }

  /** The place that a row's line tells. */
  orderOf(row: number): number | undefined {
    const at = this.#lineOf[row]!;
    return at === NO_LINE ? undefined : this.#lines[at]!.order;
  }

  /** Whether an id is some line's, of a message that is there or of one that was. */
  isTaken(id: string): boolean {
    this.#taken ??= new Set(this.#lines.map((line) => line.id));
    return this.#taken.has(id);
  }

  /** Writes an id down. */
  keep(row: number, id: string): void {
    const key = keyOf(this.#mailbox, this.#index, row);
    this.#lineOf[row] = this.#lines.length;
    this.#lines.push({ key, id, order: undefined, gone: undefined });
    this.#taken?.add(id);
    this.#isNews = true;
  }

  /**
   * Lines as they should stand in the file.
   *
   * @returns undefined when they do already, or differ too little for a big file to be written
   * @param age of the file, in milliseconds
   */
  news(age: number): readonly KeptLine[] | undefined {
    const isWorthIt = age > ONE_DAY || this.#newlyGone * WORTH_A_SHARE >= this.#lines.length;
    return this.#isNews || (this.#newlyGone > 0 && isWorthIt) ? this.#lines : undefined;
  }

  /** Lets go of all but the ids: an idle session holds no more of them than it must. */
  async pack(task: YieldingTask): Promise<void> {
    const packer = new NamePacker(this.#lines.length);
    for (const [at, { id }] of this.#lines.entries()) {
      packer.add(id);
      if (at % ROWS_A_LOOK === 0 && task.due()) await task.pause();
    }
    this.#ids = packer.table();
    this.#lines = [];
    this.#taken = undefined;
  }

  /** All lines. */
  get lines(): readonly KeptLine[] {
    return this.#lines;
  }

  /** Rows in the order in which the messages are numbered: those that have a place by it, then the others as they stand. */
  async inOrder(rows: Uint32Array, task: YieldingTask): Promise<Uint32Array> {
    const places = Float64Array.from(rows, (row) => this.orderOf(row) ?? Infinity);
    if (places.every((place, at) => at === 0 || place >= places[at - 1]!)) return rows;
    const order = await sortInSlices(
      Uint32Array.from(rows, (_, at) => at),
      (a, b) => places[a] === places[b] ? a - b : places[a]! - places[b]!,
      task,
    );
    return order.map((at) => rows[at]!);
  }

  /** Notes whose messages are gone, and are there again; forgets those that are gone for long enough. */
  async #noteGone(now: number, task: YieldingTask): Promise<void> {
    const isThere = new Uint8Array(this.#lines.length);
    for (const at of this.#lineOf) if (at !== NO_LINE) isThere[at] = 1;
    const moved = new Int32Array(this.#lines.length);
    let kept = 0;
    for (const [at, line] of this.#lines.entries()) {
      if (at % ROWS_A_LOOK === 0 && task.due()) await task.pause();
      moved[at] = kept;
      if (isThere[at] === 1) {
        if (line.gone !== undefined) this.#isNews = true;
        this.#lines[kept++] = line.gone === undefined ? line : { ...line, gone: undefined };
      } else if (line.gone === undefined || line.gone > now) {
        this.#newlyGone++;
        this.#lines[kept++] = { ...line, gone: now };
      } else if (now - line.gone > GONE_SECONDS) this.#isNews = true;
      else this.#lines[kept++] = line;
    }
    if (kept === this.#lines.length) return;
    this.#lines.length = kept;
    for (const [row, at] of this.#lineOf.entries()) {
      if (at !== NO_LINE) this.#lineOf[row] = moved[at]!;
    }
  }
}

const ONE_DAY = 24 * 60 * 60 * 1000;
/** A big file is not written again because of fewer new losses than this part of it, more than once a day. */
const WORTH_A_SHARE = 64;

/** Of two lines with one id, the first by order, then by name, keeps it; of two with one key, likewise. */
async function eachIdOnce(lines: readonly KeptLine[], task: YieldingTask): Promise<KeptLine[]> {
  const byId = new Map<string, KeptLine>();
  const twice = new Set<string>();
  for (const line of lines) {
    const other = byId.get(line.id);
    if (other === undefined) byId.set(line.id, line);
    else {
      twice.add(line.id);
      if (comesBefore(line, other)) byId.set(line.id, line);
    }
    if (byId.size % ROWS_A_LOOK === 0 && task.due()) await task.pause();
  }
  if (twice.size === 0) return [...lines];
  return lines.filter((line) => byId.get(line.id) === line);
}

function comesBefore(line: KeptLine, other: KeptLine): boolean {
  const [ours, theirs] = [line.order ?? Infinity, other.order ?? Infinity];
  return ours === theirs ? line.key < other.key : ours < theirs;
}
