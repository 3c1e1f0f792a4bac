/** Marks retrieved messages seen, as Maildir readers expect: `new/` → `cur/`, flag `S`. */

import type { YieldingTask } from "../../async/yielder.ts";
import { HelperError, NoHelperError } from "../../contracts/held_folders.ts";
import { MaildropUnreadableError } from "../../contracts/mail_store.ts";
import { isFileError, isNotFound } from "../../files/file_error.ts";
import {
  fileOfRow,
  type HeldAnswer,
  type HeldMailbox,
  type HeldMove,
  partsOf,
} from "../held/held_mailbox.ts";
import { seenName, separatorOf } from "../naming/maildir_name.ts";
import { type FileLook, lookAtName } from "../folder/file_look.ts";
import type { Locator } from "../folder/locator.ts";
import type { Mailbox } from "../folder/mailbox.ts";
import { Folder, type MessageIndex } from "../folder/message_index.ts";

/** Times that a file is looked for under a new name. */
const MOST_TRIES = 3;

/** What marking works on. */
export interface MarkSeenOptions {
  readonly mailbox: Mailbox;
  readonly messageIndex: MessageIndex;
  readonly locator: Locator;
  readonly held: HeldMailbox;
  /** Lets others run in between. */
  readonly task: YieldingTask;
  /** Told why one could not be marked. The others may fare better: a name that has no room for the flag is one message's trouble. */
  readonly failed: (error: Error) => void;
}

/** Gives rows' files their seen names in `cur/`. Rejects with faults of the program only. */
export async function markSeen(options: MarkSeenOptions, rows: readonly number[]): Promise<void> {
  const { mailbox, messageIndex, task } = options;
  if (!mailbox.folders.has(Folder.CUR) || rows.length === 0) return;
  const marking = { ...options, separator: await separatorIn(messageIndex, task) };
  if (mailbox.writers !== "server") return await markHeld(marking, rows);
  for (const row of rows) {
    try {
      await markByName(marking, row);
    } catch (error) {
      tell(marking, error);
    }
    if (task.due()) await task.pause();
  }
}

/** The same, and what separates flags in the names of the mailbox. */
interface Marking extends MarkSeenOptions {
  readonly separator: string;
}

/** What separates flags in a mailbox's names: the first one that has flags tells. */
async function separatorIn({ names }: MessageIndex, task: YieldingTask): Promise<string> {
  for (let row = 0; row < names.length; row++) {
    const separator = separatorOf(names.at(row));
    if (separator !== undefined) return separator;
    if (task.due()) await task.pause();
  }
  return ":";
}

function tell({ failed }: Marking, error: unknown): void {
  if (isFileError(error)) return failed(error);
  if (error instanceof MaildropUnreadableError) return failed(error);
  if (error instanceof NoHelperError || error instanceof HelperError) return failed(error);
  throw error;
}

/** Whether a row's name says already that it was seen. */
function isMarked({ messageIndex, separator }: Marking, row: number): boolean {
  const name = messageIndex.names.at(row);
  return messageIndex.folders[row] === Folder.CUR && name === seenName(name, separator);
}

/** Where nobody but the server's account exchanges what a name stands for. */
async function markByName(marking: Marking, row: number): Promise<void> {
  const { mailbox, messageIndex, locator, separator } = marking;
  for (let tries = 1; tries <= MOST_TRIES && !isMarked(marking, row); tries++) {
    const name = seenName(messageIndex.names.at(row), separator);
    const path = `${mailbox.folders.get(Folder.CUR)!.path}/${name}`;
    locator.checkFolder(Folder.CUR);
    // Renaming would put this file in the other's place, and a message would be lost.
    if (lookIfThere(path) !== undefined) return;
    const look = lookIfThere(locator.path(row));
    // Another message that has the name by now was not retrieved.
    if (look !== undefined && messageIndex.compare(row, look) !== "other") {
      if (isRenamed(locator.path(row), path)) return locator.rename(row, Folder.CUR, name);
    }
    if (!await locator.find(row)) return;
  }
}

/** Renames a file, unless it is gone. */
function isRenamed(from: string, to: string): boolean {
  try {
    Deno.renameSync(from, to);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

function lookIfThere(path: string): FileLook | undefined {
  try {
    return lookAtName(path);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Where others can: in the held folders. */
async function markHeld(marking: Marking, rows: readonly number[]): Promise<void> {
  const { held, task } = marking;
  for (const part of partsOf(rows)) {
    let left = part.map((row): Unmarked => ({ row, look: undefined }));
    for (let tries = 1; tries <= MOST_TRIES && left.length > 0; tries++) {
      left = left.filter(({ row }) => !isMarked(marking, row));
      const moves = left.map(({ row, look }) => moveOf(marking, row, look));
      let answers: readonly HeldAnswer[];
      try {
        answers = moves.length === 0 ? [] : await held.rename(moves);
      } catch (error) {
        for (const _ of left) tell(marking, error);
        break;
      }
      const again: Unmarked[] = [];
      for (const [at, answer] of answers.entries()) {
        const unmarked = await takeAnswer(marking, left[at]!.row, moves[at]!, answer);
        if (unmarked !== undefined) again.push(unmarked);
      }
      left = again;
    }
    if (task.due()) await task.pause();
  }
}

/** A row whose file is not marked yet, and how it looks if it is known to look other than the row tells. */
interface Unmarked {
  readonly row: number;
  readonly look: FileLook | undefined;
}

function moveOf(
  { messageIndex, separator }: Marking,
  row: number,
  look: FileLook | undefined,
): HeldMove {
  const file = fileOfRow(messageIndex, row, look);
  return { ...file, to: { folder: Folder.CUR, name: seenName(file.name, separator) } };
}

/** Takes what became of a row's file; returns what to try once more. */
async function takeAnswer(
  marking: Marking,
  row: number,
  move: HeldMove,
  answer: HeldAnswer,
): Promise<Unmarked | undefined> {
  const { messageIndex, locator } = marking;
  switch (answer.kind) {
    case "done":
      locator.rename(row, move.to.folder, move.to.name);
      return undefined;
    case "taken":
      return undefined;
    case "error":
      tell(marking, answer.error);
      return undefined;
    case "other":
      // The same message with another content was retrieved all the same.
      if (answer.look.isFile && messageIndex.compare(row, answer.look) === "changed") {
        return { row, look: answer.look };
      }
      return await locator.find(row) ? { row, look: undefined } : undefined;
    case "gone":
      return await locator.find(row) ? { row, look: undefined } : undefined;
  }
}
