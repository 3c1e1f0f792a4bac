/** Chooses what removes a mailbox's files. */

import type { DeletedNote } from "../trash/trash_folder.ts";
import { TrashMover } from "../trash/trash_mover.ts";
import { NameUnlinker, type Unlinker, type UnlinkerOptions } from "./unlinker.ts";
import type { HeldMailbox } from "../held/held_mailbox.ts";
import { HeldUnlinker } from "./held_unlinker.ts";

/**
 * By name where only the server's account exchanges what a name stands for, which takes a tenth of the time; else in held folders.
 *
 * @param trash what is written down of a row, where removed files are kept for a while; false where they are not
 */
export function unlinkerOf(
  held: HeldMailbox,
  options: UnlinkerOptions,
  trash: ((row: number) => DeletedNote) | false = false,
): Unlinker {
  if (trash !== false) return new TrashMover({ ...options, held: held.folders, note: trash });
  return options.mailbox.writers === "server"
    ? new NameUnlinker(options)
    : new HeldUnlinker(held, options);
}
