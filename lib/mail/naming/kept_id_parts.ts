/** What a cache tells of unique-ids that are not made from the present names of files. */

import { sortInSlices } from "../../async/sort_in_slices.ts";
import type { YieldingTask } from "../../async/yielder.ts";
import { NamePacker, NameTable } from "../listing/name_table.ts";
import { compareIdentities, compareNames, identityPart } from "./maildir_name.ts";
import { Folder, type MessageIndex } from "../folder/message_index.ts";

/** Rows that are looked at between two looks at the clock. */
const ROWS_A_LOOK = 64;

/**
 * Packs them: row, part, row, part …, joined by slashes, which no name holds.
 *
 * @param idParts by row
 */
export async function packIdParts(
  idParts: ReadonlyMap<number, string>,
  task: YieldingTask,
): Promise<Uint8Array> {
  const packer = new NamePacker(2 * idParts.size);
  let count = 0;
  for (const [row, part] of idParts) {
    packer.add(`${row}`);
    packer.add(part);
    if (++count % ROWS_A_LOOK === 0 && task.due()) await task.pause();
  }
  return await packer.table().joined(task);
}

/**
 * Reads what {@linkcode packIdParts} wrote. A part that the row's message cannot have had is not believed: it could be another one's id.
 *
 * @param count of the parts
 * @returns whether there are so many
 */
export async function learnIdParts(
  messageIndex: MessageIndex,
  octets: Uint8Array<ArrayBuffer>,
  count: number,
  task: YieldingTask,
): Promise<boolean> {
  const texts = await NameTable.read(octets, 2 * count, task);
  if (texts === undefined) return false;
  for (let index = 0; index < count; index++) {
    const row = Number(texts.at(2 * index));
    const part = texts.at(2 * index + 1);
    const isRow = Number.isInteger(row) && row >= 0 && row < messageIndex.length;
    if (isRow && identityPart(part) === identityPart(messageIndex.names.at(row))) {
      messageIndex.keepIdPart(row, part);
    }
    if (index % ROWS_A_LOOK === 0 && task.due()) await task.pause();
  }
  return true;
}

/**
 * Takes over rows of a version that made ids from all that stands before `:2,`, and ordered rows by that. Clients know the messages by these ids, so
 * they stay.
 */
export async function takeOverRows(
  messageIndex: MessageIndex,
  task: YieldingTask,
): Promise<MessageIndex> {
  const { names, folders } = messageIndex;
  let isOrdered = true;
  for (let row = 0; row < names.length; row++) {
    const name = names.at(row);
    if (folders[row] !== Folder.PLAIN) {
      const info = name.indexOf(":2,");
      messageIndex.keepIdPart(row, info < 0 ? name : name.slice(0, info));
    }
    isOrdered &&= row === 0 || compareIdentities(names.at(row - 1), name) <= 0;
    if (row % ROWS_A_LOOK === 0 && task.due()) await task.pause();
  }
  if (isOrdered) return messageIndex;
  const rows = await sortInSlices(
    Uint32Array.from({ length: names.length }, (_, row) => row),
    (a, b) => compareNames(names.at(a), names.at(b)) || folders[a]! - folders[b]!,
    task,
  );
  return await messageIndex.select(rows, task);
}
