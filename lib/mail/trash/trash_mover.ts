/** "Removes" messages into the mailbox's trash: by rename, as durably as by unlinking. */

import type { HeldFolders } from "../../contracts/held_folders.ts";
import { LockLostError } from "../../contracts/mail_store.ts";
import { isNotFound } from "../../files/file_error.ts";
import { lookAtName } from "../folder/file_look.ts";
import type { FolderState } from "../folder/mailbox.ts";
import type { Folder } from "../folder/message_index.ts";
import {
  mayRemove,
  type Unlinker,
  type UnlinkerOptions,
  type UnlinkOutcome,
} from "../update/unlinker.ts";
import { type FileMove, moveFiles, syncState } from "./move_files.ts";
import { type DeletedNote, makeTrash, noteDeleted, trashName } from "./trash_folder.ts";

/** What moving works with. */
export interface TrashMoverOptions extends UnlinkerOptions {
  readonly held: HeldFolders;
  /** What is written down of a row. */
  readonly note: (row: number) => DeletedNote;
  /** @default {Date.now} */
  readonly now?: () => number;
}

/** An {@linkcode Unlinker} that keeps what it removes. */
export class TrashMover implements Unlinker {
  readonly #options: TrashMoverOptions;
  #trash: FolderState | undefined;

  constructor(options: TrashMoverOptions) {
    this.#options = options;
  }

  async unlink(
    rows: readonly number[],
    tell: (row: number, outcome: UnlinkOutcome) => void,
  ): Promise<void> {
    const { mailbox, messageIndex, held, now = Date.now } = this.#options;
    try {
      this.#trash ??= makeTrash(mailbox);
    } catch (error) {
      for (const row of rows) tell(row, error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const trash = this.#trash;
    for (const folder of new Set(rows.map((row) => messageIndex.folders[row] as Folder))) {
      const moves: (FileMove & { readonly row: number })[] = [];
      for (const row of rows.filter((each) => messageIndex.folders[each] === folder)) {
        const move = this.#move(row, now());
        if (typeof move === "string" || move instanceof Error) tell(row, move);
        else moves.push({ ...move, row });
      }
      const from = mailbox.folders.get(folder)!;
      const outcomes = await moveFiles(mailbox, held, from, trash, moves).catch((error) =>
        moves.map(() => error instanceof Error ? error : new Error(String(error)))
      );
      const notes: [string, DeletedNote][] = [];
      outcomes.forEach((outcome, at) => {
        const { row, to } = moves[at]!;
        if (outcome === "moved") notes.push([to, this.#options.note(row)]);
        tell(row, outcome === "moved" ? "removed" : outcome);
      });
      noteDeleted(trash, notes);
    }
  }

  /** The trash first: a message must not be in neither place. */
  async sync(folder: Folder): Promise<void> {
    if (this.#trash !== undefined) await syncState(this.#trash);
    await syncState(this.#options.mailbox.folders.get(folder)!);
  }

  #move(row: number, now: number): FileMove | UnlinkOutcome {
    const { mailbox, messageIndex, locator, permit } = this.#options;
    try {
      const look = lookAtName(locator.path(row));
      if (!mayRemove(mailbox, messageIndex, row, look)) {
        locator.checkFolder(messageIndex.folders[row] as Folder);
        return "missing";
      }
      if (permit !== undefined && !permit()) return new LockLostError("the lock was lost");
      const name = messageIndex.names.at(row);
      const to = trashName(now, messageIndex.folders[row] as Folder, name);
      return { name, to, look, isNew: true };
    } catch (error) {
      if (isNotFound(error)) return "missing";
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
