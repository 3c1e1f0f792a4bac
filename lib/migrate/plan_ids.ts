/** Plans what an import of unique-ids would write into a mailbox, and what becomes of each message's id. */

import { identityPart, uniquePart } from "../mail/naming/maildir_name.ts";
import { keyOf, matchKeys } from "../mail/uidl/kept_ids.ts";
import { mostLines } from "../mail/uidl/uidl_files.ts";
import { type KeptLine, refuseId } from "../mail/uidl/uidl_lines.ts";
import type { IdList, ListedId, RefusedEntry } from "./id_list.ts";
import { ALONE, nameAll, type NamedRow, type OpenIds } from "./mailbox_ids.ts";

/** How ids are planned. */
export interface PlanOptions {
  /** Whether the list's ids take the place of those that messages have by an earlier import. */
  readonly replace?: boolean;
  /** Whether it is known that the list is this mailbox's, though it may name none of its files. */
  readonly isOwn?: boolean;
  /** The list's entry of each row, where that was found out by other things than names; -1 for none. */
  readonly entryOf?: Int32Array;
}

/** What would become of a mailbox's ids. */
export interface IdPlan {
  readonly messages: number;
  /** Messages whose id is the one that clients know. */
  readonly kept: number;
  /** Messages that the list does not have, as names. */
  readonly missing: readonly string[];
  /** Entries whose messages are not there, as names. */
  readonly gone: readonly string[];
  /** Entries that cannot be taken, as sentences. */
  readonly refused: readonly RefusedEntry[];
  /** Messages that `replace` gives another id than they had, as names. */
  readonly replaced: readonly string[];
  /** What the file is to have; undefined when it has it already. */
  readonly lines: readonly KeptLine[] | undefined;
  /** The ids of all messages by then, in the order of their numbers. */
  readonly ids: readonly NamedRow[];
  readonly notes: readonly string[];
}

/** A list that is another mailbox's. */
export class ForeignListError extends Error {
  override name = "ForeignListError";
}

/**
 * Plans an import.
 *
 * @throws {ForeignListError} when the mailbox holds messages, and the list none of them
 */
export async function planIds(
  open: OpenIds,
  list: IdList,
  options: PlanOptions = {},
): Promise<IdPlan> {
  const refused = [...list.refused];
  const { entries, entryOf } = await usableEntries(open, list, options, refused);
  const now = Math.floor(Date.now() / 1000);
  const before = open.lines ?? [];
  const lineOf = await matchKeys(open.mailbox, open.index, before.map(({ key }) => key), ALONE);
  if (options.isOwn !== true) checkOwn(open, entries, entryOf);
  const merge = new Merge(open, before, lineOf, options.replace ?? false);
  // What comes to a mailbox from elsewhere follows what it has.
  if (options.isOwn === true) merge.append();
  const rowOf = new Map<number, number>();
  for (const [row, at] of entryOf.entries()) if (at >= 0) rowOf.set(at, row);
  const gone: ListedId[] = [];
  for (const [at, entry] of entries.entries()) {
    const row = rowOf.get(at);
    if (row === undefined) {
      gone.push(entry);
      // An entry without a file's name is no file that could come back.
      if (options.entryOf === undefined) merge.addGone(entry, now);
    } else {
      const refusal = merge.add(row, entry, list.ordered);
      if (refusal !== undefined) {
        refused.push(`${entry.place}: ${refusal}`);
        entryOf[row] = -1;
      }
    }
  }
  const lines = merge.lines(open.index.length);
  const isEmpty = lines.length === 0 && open.lines === undefined;
  const named = await nameAll(open, isEmpty ? undefined : lines);
  const missing = named.messages.filter(({ row }) => entryOf[row]! < 0 && lineOf[row]! < 0);
  const nameOf = ({ row }: NamedRow): string => open.index.names.at(row);
  return {
    messages: open.index.length,
    kept: open.index.length - missing.length,
    missing: missing.map(nameOf),
    gone: gone.map(({ name }) => name),
    refused,
    replaced: merge.replaced,
    lines: isEmpty || isSame(open.lines, named.lines) ? undefined : named.lines,
    ids: named.messages,
    notes: list.notes,
  };
}

/** Entries with an id that can be used, each id once, and the entry of each row. */
async function usableEntries(
  open: OpenIds,
  list: IdList,
  { entryOf }: PlanOptions,
  refused: RefusedEntry[],
): Promise<{ entries: readonly ListedId[]; entryOf: Int32Array }> {
  const places = new Map<string, string>();
  /** Where each entry went; -1 for those that are refused. */
  const kept = new Int32Array(list.entries.length).fill(-1);
  const entries = list.entries.filter(({ id, place }, at) => {
    const other = places.get(id);
    const refusal = refuseId(id) ?? (other && `it has the id of ${other}`);
    if (refusal !== undefined) {
      refused.push(`${place}: ${refusal}`);
      return false;
    }
    kept[at] = places.size;
    places.set(id, place);
    return true;
  });
  if (entryOf !== undefined) {
    return { entries, entryOf: entryOf.map((at) => at < 0 ? -1 : kept[at]!) };
  }
  const keys = open.mailbox.layout === "plain"
    ? plainKeys(open, entries)
    : entries.map(({ name }) => uniquePart(name));
  return { entries, entryOf: await matchKeys(open.mailbox, open.index, keys, ALONE) };
}

/** Keys of a plain folder's files by the names that are listed; what is not there has none that is. */
function plainKeys({ mailbox, index }: OpenIds, entries: readonly ListedId[]): string[] {
  const byName = new Map<string, string>();
  for (let row = 0; row < index.length; row++) {
    byName.set(index.names.at(row), keyOf(mailbox, index, row));
  }
  return entries.map(({ name }) => byName.get(name) ?? `${name}/`);
}

function checkOwn(
  { index, mailbox }: OpenIds,
  entries: readonly ListedId[],
  entryOf: Int32Array,
): void {
  if (entries.length === 0 || index.length === 0 || entryOf.some((at) => at >= 0)) return;
  throw new ForeignListError(
    `the list is another mailbox's: ${mailbox.path} holds none of its ${entries.length} names`,
  );
}

/** Brings a list together with the lines that are there. */
class Merge {
  /** Names of messages that get another id than they had. */
  readonly replaced: string[] = [];
  readonly #open: OpenIds;
  readonly #before: readonly KeptLine[];
  readonly #lineOf: Int32Array;
  readonly #replace: boolean;
  readonly #lines: (KeptLine | undefined)[];
  readonly #gone: KeptLine[] = [];
  /** Where each id's line is; of those that are gone, too. */
  readonly #byId = new Map<string, string>();
  /** What lines are found by, whatever sizes stand in a name. */
  readonly #keys = new Set<string>();
  #last = 0;

  constructor(
    open: OpenIds,
    before: readonly KeptLine[],
    lineOf: Int32Array,
    replace: boolean,
  ) {
    this.#open = open;
    this.#before = before;
    this.#lineOf = lineOf;
    this.#replace = replace;
    this.#lines = [...before];
    for (const { key, id } of before) {
      this.#byId.set(id, key);
      this.#keys.add(identityPart(key));
    }
  }

  /** Has new entries follow all that have a place. */
  append(): void {
    for (const { order } of this.#before) this.#last = Math.max(this.#last, order ?? 0);
  }

  /** Takes an entry for a message that is there. Returns why it cannot be taken. */
  add(row: number, { id }: ListedId, ordered: boolean): string | undefined {
    const at = this.#lineOf[row]!;
    const line = at < 0 ? undefined : this.#before[at]!;
    const key = line?.key ?? keyOf(this.#open.mailbox, this.#open.index, row);
    if (line !== undefined && (!this.#replace || line.id === id)) {
      if (line.order !== undefined) this.#last = Math.max(this.#last, line.order);
      return undefined;
    }
    const other = this.#byId.get(id);
    if (other !== undefined && other !== key) return "its id is another message's already";
    this.#byId.set(id, key);
    const order = ordered ? ++this.#last : line?.order;
    const fresh = { key, id, order, gone: undefined };
    if (line === undefined) this.#lines.push(fresh);
    else {
      this.#lines[at] = fresh;
      this.replaced.push(this.#open.index.names.at(row));
    }
    return undefined;
  }

  /** Takes an entry whose message is not there: it may be in a backup that comes back. */
  addGone({ id, name }: ListedId, gone: number): void {
    // Of a plain folder's file, nothing tells the size.
    if (this.#open.mailbox.layout === "plain") return;
    const key = uniquePart(name);
    if (this.#byId.has(id) || this.#keys.has(identityPart(key))) return;
    this.#byId.set(id, key);
    this.#gone.push({ key, id, order: ++this.#last, gone });
  }

  /** All lines; of those that are gone only as many as will be read again. */
  lines(rows: number): KeptLine[] {
    const lines = this.#lines.filter((line) => line !== undefined);
    return [...lines, ...this.#gone.slice(0, Math.max(0, mostLines(rows) - lines.length))];
  }
}

function isSame(
  before: readonly KeptLine[] | undefined,
  after: readonly KeptLine[],
): boolean {
  return before !== undefined && before.length === after.length &&
    before.every((line, at) => {
      const other = after[at]!;
      return line.key === other.key && line.id === other.id && line.order === other.order &&
        line.gone === other.gone;
    });
}
