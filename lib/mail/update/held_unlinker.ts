/** Removes files of a mailbox in which others than the server can write: in its held folders. */

import { LockLostError } from "../../contracts/mail_store.ts";
import type { UnlinkerOptions, UnlinkOutcome } from "./unlinker.ts";
import { mayRemove, type Unlinker } from "./unlinker.ts";
import type { Folder } from "../folder/message_index.ts";
import type { FileLook } from "../folder/file_look.ts";
import { fileOfRow, type HeldFile, type HeldMailbox, partsOf } from "../held/held_mailbox.ts";

/** Files that the helper removes after the lock was asked for once: some milliseconds. */
const FENCED_PART = 64;

/** An {@linkcode Unlinker} that works in held folders. */
export class HeldUnlinker implements Unlinker {
  readonly #held: HeldMailbox;
  readonly #options: UnlinkerOptions;
  /** Why folders could not be synced, in which files were removed. */
  readonly #unsynced = new Map<Folder, Error>();

  constructor(held: HeldMailbox, options: UnlinkerOptions) {
    this.#held = held;
    this.#options = options;
  }

  async unlink(
    rows: readonly number[],
    tell: (row: number, outcome: UnlinkOutcome) => void,
  ): Promise<void> {
    const { permit, messageIndex, task } = this.#options;
    for (const part of partsOf(rows, permit && FENCED_PART)) {
      const files = part.map((row) => fileOfRow(messageIndex, row));
      const others = await this.#remove(part, files, tell);
      // Another content than the row tells of: what has the name now is looked at, and removed as it was looked at.
      const again = others.filter(({ row, look }) => this.#mayRemove(row, look, tell));
      const looks = again.map(({ row, look }) => fileOfRow(messageIndex, row, look));
      for (const { row } of await this.#remove(again.map(({ row }) => row), looks, tell)) {
        tell(row, new Error("another program keeps changing it"));
      }
      if (task.due()) await task.pause();
    }
  }

  sync(folder: Folder): Promise<void> {
    const error = this.#unsynced.get(folder);
    return error === undefined ? Promise.resolve() : Promise.reject(error);
  }

  /** Removes files that look as they are told to; returns the rows whose names stand for something else. */
  async #remove(
    rows: readonly number[],
    files: readonly HeldFile[],
    tell: (row: number, outcome: UnlinkOutcome) => void,
  ): Promise<{ row: number; look: FileLook }[]> {
    const others: { row: number; look: FileLook }[] = [];
    if (rows.length === 0) return others;
    if (this.#options.permit?.() === false) {
      for (const row of rows) tell(row, new LockLostError("the lock was lost"));
      return others;
    }
    try {
      const { answers, unsynced } = await this.#held.unlink(files);
      for (const [folder, error] of unsynced) this.#unsynced.set(folder, error);
      answers.forEach((answer, at) => {
        const row = rows[at]!;
        if (answer.kind === "other") others.push({ row, look: answer.look });
        else if (answer.kind === "error") tell(row, answer.error);
        else tell(row, answer.kind === "done" ? "removed" : "missing");
      });
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      for (const row of rows) tell(row, reason);
    }
    return others;
  }

  /** Whether what has a row's name may go; where it may not, tells so. */
  #mayRemove(
    row: number,
    look: FileLook,
    tell: (row: number, outcome: UnlinkOutcome) => void,
  ): boolean {
    const { mailbox, messageIndex } = this.#options;
    try {
      if (mayRemove(mailbox, messageIndex, row, look)) return true;
      tell(row, "missing");
    } catch (error) {
      tell(row, error instanceof Error ? error : new Error(String(error)));
    }
    return false;
  }
}
