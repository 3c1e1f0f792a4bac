/** Gives a mailbox's messages the unique-ids by which clients know them from session to session. */

import type { YieldingTask } from "../../async/yielder.ts";
import { type Folder, Mark, type MessageIndex } from "./message_index.ts";
import { isNotFound } from "../../files/file_error.ts";
import type { Mailbox } from "./mailbox.ts";
import { uniquePart } from "../naming/maildir_name.ts";
import type { MessageInfo } from "../../contracts/mail_store.ts";
import { maildirId, plainId, twinId } from "../naming/unique_id.ts";

/** A message of a mailbox. */
export interface FolderMessage extends MessageInfo {
  /** Of the message index. */
  readonly row: number;
}

/** Named messages. */
export interface NamedMessages {
  readonly messages: readonly FolderMessage[];
  /** Whether marks of the message index were changed. */
  readonly changed: boolean;
}

/**
 * Names the served rows.
 *
 * @param served rows in order, so that those of one unique part stand together
 * @param task lets others run while a big mailbox is worked on
 */
export async function nameMessages(
  mailbox: Mailbox,
  messageIndex: MessageIndex,
  served: readonly number[],
  task: YieldingTask,
): Promise<NamedMessages> {
  return mailbox.layout === "plain"
    ? { messages: await namePlain(messageIndex, served, task), changed: false }
    : await nameMaildir(mailbox, messageIndex, served, task);
}

async function namePlain(
  { names, modified, storedSize, size }: MessageIndex,
  served: readonly number[],
  task: YieldingTask,
): Promise<FolderMessage[]> {
  const messages: FolderMessage[] = [];
  for (const row of served) {
    const uid = plainId(names[row]!, modified[row]!, storedSize[row]!);
    messages.push({ uid, size: size[row]!, row });
    if (task.due()) await task.pause();
  }
  return messages;
}

async function nameMaildir(
  mailbox: Mailbox,
  messageIndex: MessageIndex,
  served: readonly number[],
  task: YieldingTask,
): Promise<NamedMessages> {
  const { names, modified, storedSize, size, marks } = messageIndex;
  const messages: FolderMessage[] = [];
  const copies = new Map<string, number>();
  let changed = false;
  for (let start = 0, end = 0; start < served.length; start = end) {
    const unique = uniquePart(names[served[start]!]!);
    do end++; while (end < served.length && isOfUnique(names[served[end]!]!, unique));
    if (markGroup(messageIndex, served, start, end)) changed = true;
    copies.clear();
    for (let index = start; index < end; index++) {
      const row = served[index]!;
      const isTwin = (marks[row]! & Mark.TWIN) !== 0;
      if (isTwin && modified[row] === 0 && learnTime(mailbox, messageIndex, row)) changed = true;
      const uid = isTwin
        ? nextTwinId(copies, unique, modified[row]!, storedSize[row]!)
        : maildirId(unique);
      messages.push({ uid, size: size[row]!, row });
    }
    if (task.due()) await task.pause();
  }
  return { messages, changed };
}

/** A twin's id is made from its file's time, which nobody may have asked for yet. */
function learnTime(mailbox: Mailbox, messageIndex: MessageIndex, row: number): boolean {
  const folder = mailbox.folders.get(messageIndex.folders[row] as Folder)!;
  try {
    const { mtime } = Deno.lstatSync(`${folder.path}/${messageIndex.names[row]}`);
    messageIndex.modified[row] = mtime?.getTime() ?? 0;
  } catch (error) {
    // Gone since it was listed: whoever opens it is told.
    if (!isNotFound(error)) throw error;
  }
  return messageIndex.modified[row] !== 0;
}

function isOfUnique(name: string, unique: string): boolean {
  return name.startsWith(unique) && uniquePart(name) === unique;
}

/**
 * Decides which rows of one unique part have it as their id: the one that had it before, or one that is alone and always was. A twin stays
 * marked when its brother is gone, so that no id passes from one message to another.
 */
function markGroup(
  messageIndex: MessageIndex,
  served: readonly number[],
  start: number,
  end: number,
): boolean {
  const { marks } = messageIndex;
  let changed = false;
  let taken = false;
  for (let index = start; index < end; index++) {
    const row = served[index]!;
    const before: number = marks[row]!;
    const isNamed: boolean = !taken && (before & Mark.TWIN) === 0 &&
      (end - start === 1 || (before & Mark.NAMED) !== 0);
    taken ||= isNamed;
    marks[row] = (before & Mark.VERBATIM) | (isNamed ? Mark.NAMED : Mark.TWIN);
    changed ||= marks[row] !== before;
  }
  return changed;
}

/** @param copies counts the twins before that look exactly the same from outside */
function nextTwinId(
  copies: Map<string, number>,
  unique: string,
  modified: number,
  storedSize: number,
): string {
  const looks = `${modified}/${storedSize}`;
  const copy = copies.get(looks) ?? 0;
  copies.set(looks, copy + 1);
  return twinId(unique, modified, storedSize, copy);
}
