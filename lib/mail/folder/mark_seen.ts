/** Marks retrieved messages seen, as Maildir readers expect: `new/` → `cur/`, flag `S`. */

import type { YieldingTask } from "../../async/yielder.ts";
import { Folder, type MessageIndex } from "./message_index.ts";
import { isNotFound } from "../../files/file_error.ts";
import { type FileLook, lookAtName } from "./file_look.ts";
import type { Locator } from "./locator.ts";
import type { Mailbox } from "./mailbox.ts";
import { seenName, separatorOf } from "../naming/maildir_name.ts";

/**
 * Gives a row's file its seen name in `cur/`.
 *
 * @param separator what separates flags in the names of this mailbox
 * @returns whether it has another name now
 * @throws {Error} when the mailbox cannot be written
 */
export async function markSeen(
  mailbox: Mailbox,
  messageIndex: MessageIndex,
  row: number,
  locator: Locator,
  separator: string,
): Promise<boolean> {
  const cur = mailbox.folders.get(Folder.CUR);
  if (cur === undefined) return false;
  for (let attempt = 0; attempt < 3; attempt++) {
    const before = messageIndex.names.at(row);
    const name = seenName(before, separator);
    if (messageIndex.folders[row] === Folder.CUR && name === before) return false;
    const path = `${cur.path}/${name}`;
    // Renaming would put this file in the other's place, and a message would be lost.
    locator.checkFolder(Folder.CUR);
    if (lookIfThere(path) !== undefined) return false;
    const look = lookIfThere(locator.path(row));
    // Another message that has the name by now was not retrieved.
    if (look !== undefined && messageIndex.compare(row, look) !== "other") {
      if (mailbox.writers !== "server") locator.checkFolder(messageIndex.folders[row] as Folder);
      if (isRenamed(locator.path(row), path)) {
        locator.rename(row, Folder.CUR, name);
        return true;
      }
    }
    if (!await locator.find(row)) return false;
  }
  return false;
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

/**
 * What separates flags in a mailbox's names: the first one that has flags tells.
 *
 * @param task lets others run in between
 */
export async function separatorIn(
  { names }: MessageIndex,
  task: YieldingTask,
): Promise<string> {
  for (let row = 0; row < names.length; row++) {
    const separator = separatorOf(names.at(row));
    if (separator !== undefined) return separator;
    if (task.due()) await task.pause();
  }
  return ":";
}
