/** Gives a mailbox's messages the unique-ids by which clients know them from session to session. */

import type { YieldingTask } from "../../async/yielder.ts";
import { type Folder, Mark, type MessageIndex } from "../folder/message_index.ts";
import { isNotFound } from "../../files/file_error.ts";
import type { Mailbox } from "../folder/mailbox.ts";
import { identityPart } from "./maildir_name.ts";
import type { MessageInfo } from "../../contracts/mail_store.ts";
import { KeptIds } from "../uidl/kept_ids.ts";
import type { KeptLine } from "../uidl/uidl_lines.ts";
import { maildirId, plainId, twinId } from "./unique_id.ts";

/** Messages between two looks at the clock. */
const MESSAGES_A_LOOK = 64;

/** A message of a mailbox. */
export class FolderMessage implements MessageInfo {
  readonly size: number;
  /** Of the message index. */
  readonly row: number;
  readonly #ids: UniqueIds;

  /** @param ids of its mailbox */
  constructor(ids: UniqueIds, row: number, size: number) {
    this.#ids = ids;
    this.row = row;
    this.size = size;
  }

  /** Made when it is asked for: a million ids would take as much memory as the names that they are made of. */
  get uid(): string {
    return this.#ids.of(this.row);
  }
}

/** Named messages. */
export interface NamedMessages {
  /** In the order of their numbers. */
  readonly messages: readonly FolderMessage[];
  /** Whether marks of the message index were changed. */
  readonly changed: boolean;
  /** What the mailbox's lines tell; undefined where it has none. */
  readonly kept: KeptIds | undefined;
}

/** The ids that a mailbox's `.postern-uidl` keeps. */
export interface KeptNames {
  readonly lines: readonly KeptLine[];
  /** Seconds since 1970. */
  readonly now: number;
  /** Told once, before the first id is given out. */
  readonly shown: () => void;
}

/**
 * Names the served rows, and puts them in the order of their numbers.
 *
 * @param served rows in order, so that those of one identity stand together
 * @param task lets others run while a big mailbox is worked on
 * @param names what the mailbox's `.postern-uidl` keeps, if it has one
 */
export async function nameMessages(
  mailbox: Mailbox,
  messageIndex: MessageIndex,
  served: Uint32Array,
  task: YieldingTask,
  names?: KeptNames,
): Promise<NamedMessages> {
  const ids = new UniqueIds(mailbox, messageIndex);
  const changed = mailbox.layout === "maildir" && await ids.mark(served, task);
  const kept = names && await ids.keep(names, served, task);
  const order = kept === undefined ? served : await kept.inOrder(served, task);
  const messages: FolderMessage[] = [];
  for (let index = 0; index < order.length; index++) {
    const row = order[index]!;
    messages.push(new FolderMessage(ids, row, messageIndex.size[row]!));
    if (index % MESSAGES_A_LOOK === 0 && task.due()) await task.pause();
  }
  return { messages, changed, kept };
}

/** The unique-ids of a mailbox's messages. */
class UniqueIds {
  readonly #mailbox: Mailbox;
  readonly #messageIndex: MessageIndex;
  /** Of rows that share what their ids would be made from, which few do. */
  readonly #twins = new Map<number, string>();

  #kept: KeptIds | undefined;
  #shown: (() => void) | undefined;

  constructor(mailbox: Mailbox, messageIndex: MessageIndex) {
    this.#mailbox = mailbox;
    this.#messageIndex = messageIndex;
  }

  /** The id of a row, for a client. */
  of(row: number): string {
    const shown = this.#shown;
    this.#shown = undefined;
    shown?.();
    return this.#kept?.idOf(row) ?? this.#made(row);
  }

  /** Takes lines into account, and gives a message another id whose own would be some line's. */
  async keep(
    { lines, now, shown }: KeptNames,
    served: Uint32Array,
    task: YieldingTask,
  ): Promise<KeptIds> {
    const kept = await KeptIds.match(lines, this.#mailbox, this.#messageIndex, now, task);
    for (let index = 0; index < served.length; index++) {
      const row = served[index]!;
      if (kept.idOf(row) === undefined && kept.isTaken(this.#made(row))) this.#rename(kept, row);
      if (index % MESSAGES_A_LOOK === 0 && task.due()) await task.pause();
    }
    this.#kept = kept;
    this.#shown = shown;
    return kept;
  }

  /** Gives a row the id of a twin, since a line has the one that is made from its name. */
  #rename(kept: KeptIds, row: number): void {
    const { modified, storedSize, marks } = this.#messageIndex;
    if (modified[row] === 0) learnTime(this.#mailbox, this.#messageIndex, row);
    const part = this.#messageIndex.idPart(row);
    let copy = 0;
    let id: string;
    do id = twinId(part, modified[row]!, storedSize[row]!, copy++); while (kept.isTaken(id));
    // A twin has no key of its own in the file; its id is made alike each time.
    if ((marks[row]! & Mark.TWIN) !== 0) this.#twins.set(row, id);
    else kept.keep(row, id);
  }

  /** The id that is made from a row's name. The name may have changed since, but not what the id is made from. */
  #made(row: number): string {
    const { names, modified, storedSize } = this.#messageIndex;
    const twin = this.#twins.get(row);
    if (twin !== undefined) return twin;
    return this.#mailbox.layout === "plain"
      ? plainId(names.at(row), modified[row]!, storedSize[row]!)
      : maildirId(this.#messageIndex.idPart(row));
  }

  /** Tells a Maildir's twins apart. Returns whether the message index's marks have changed. */
  async mark(served: Uint32Array, task: YieldingTask): Promise<boolean> {
    const { names } = this.#messageIndex;
    let changed = false;
    for (let start = 0, end = 0; start < served.length; start = end) {
      const identity = identityPart(names.at(served[start]!));
      do {
        end++;
        if (end % MESSAGES_A_LOOK === 0 && task.due()) await task.pause();
      } while (end < served.length && isOfIdentity(names.at(served[end]!), identity));
      // Most are alone, and were named before.
      if (end - start === 1 && this.#isNamed(served[start]!)) continue;
      if (await this.#markAlike(served.subarray(start, end), task)) changed = true;
    }
    return changed;
  }

  /** Tells twins among the rows of one identity apart: those whose ids would be made from the same part. Sizes in their names may differ. */
  async #markAlike(rows: Uint32Array, task: YieldingTask): Promise<boolean> {
    if (rows.length === 1) return await this.#markTwins(rows, task);
    const groups = new Map<string, number[]>();
    for (const row of rows) {
      const part = this.#messageIndex.idPart(row);
      const group = groups.get(part);
      if (group === undefined) groups.set(part, [row]);
      else group.push(row);
      if (task.due()) await task.pause();
    }
    let changed = false;
    for (const group of groups.values()) {
      if (await this.#markTwins(Uint32Array.from(group), task)) changed = true;
    }
    return changed;
  }

  /** @param rows whose ids would be made from the same part */
  async #markTwins(rows: Uint32Array, task: YieldingTask): Promise<boolean> {
    const changed = markGroup(this.#messageIndex, rows);
    if (rows.length === 1 && !this.#isTwin(rows[0]!)) return changed;
    return await this.#nameTwins(this.#messageIndex.idPart(rows[0]!), rows, task) || changed;
  }

  #isNamed(row: number): boolean {
    return (this.#messageIndex.marks[row]! & (Mark.TWIN | Mark.NAMED)) === Mark.NAMED;
  }

  #isTwin(row: number): boolean {
    return (this.#messageIndex.marks[row]! & Mark.TWIN) !== 0;
  }

  async #nameTwins(part: string, rows: Uint32Array, task: YieldingTask): Promise<boolean> {
    const { modified, storedSize } = this.#messageIndex;
    /** Counts twins that look exactly the same from outside. */
    const copies = new Map<string, number>();
    let changed = false;
    for (const row of rows) {
      if (!this.#isTwin(row)) continue;
      if (modified[row] === 0 && learnTime(this.#mailbox, this.#messageIndex, row)) changed = true;
      const looks = `${modified[row]}/${storedSize[row]}`;
      const copy = copies.get(looks) ?? 0;
      copies.set(looks, copy + 1);
      this.#twins.set(row, twinId(part, modified[row]!, storedSize[row]!, copy));
      if (task.due()) await task.pause();
    }
    return changed;
  }
}

/** A twin's id is made from its file's time, which nobody may have asked for yet. */
function learnTime(mailbox: Mailbox, messageIndex: MessageIndex, row: number): boolean {
  const folder = mailbox.folders.get(messageIndex.folders[row] as Folder)!;
  try {
    const { mtime } = Deno.lstatSync(`${folder.path}/${messageIndex.names.at(row)}`);
    messageIndex.modified[row] = mtime?.getTime() ?? 0;
  } catch (error) {
    // Gone since it was listed: whoever opens it is told.
    if (!isNotFound(error)) throw error;
  }
  return messageIndex.modified[row] !== 0;
}

function isOfIdentity(name: string, identity: string): boolean {
  return name.startsWith(identity) && identityPart(name) === identity;
}

/**
 * Decides which of the rows whose ids would be made from the same part has it as its id: the one that had it before, or one that is alone and always was. A twin stays
 * marked when its brother is gone, so that no id passes from one message to another.
 *
 * @returns whether a mark has changed
 */
function markGroup({ marks }: MessageIndex, rows: Uint32Array): boolean {
  let changed = false;
  let taken = false;
  for (const row of rows) {
    const before: number = marks[row]!;
    const isNamed: boolean = !taken && (before & Mark.TWIN) === 0 &&
      (rows.length === 1 || (before & Mark.NAMED) !== 0);
    taken ||= isNamed;
    marks[row] = (before & (Mark.VERBATIM | Mark.PACKED)) | (isNamed ? Mark.NAMED : Mark.TWIN);
    changed ||= marks[row] !== before;
  }
  return changed;
}
