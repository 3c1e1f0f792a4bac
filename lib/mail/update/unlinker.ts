/** Removes single files of a mailbox: which file may go, and how where a name can be believed. */

import { unlinkSync } from "node:fs";
import type { YieldingTask } from "../../async/yielder.ts";
import {
  LockLostError,
  MaildropUnreadableError,
  type MayRemove,
} from "../../contracts/mail_store.ts";
import { isNotFound } from "../../files/file_error.ts";
import { type FileLook, lookAtName } from "../folder/file_look.ts";
import type { Locator } from "../folder/locator.ts";
import { answering } from "../file_deadline.ts";
import { isFolder, type Mailbox } from "../folder/mailbox.ts";
import type { Folder, MessageIndex } from "../folder/message_index.ts";
import { NotRegularError } from "../folder/regular_file.ts";

/** How far the clock of a file server may be off, in milliseconds. */
const CLOCK_SKEW = 60_000;

/** What became of a row's file: removed, not where it was last seen, or why it stays. */
export type UnlinkOutcome = "removed" | "missing" | Error;

/** Removes files of one mailbox. */
export interface Unlinker {
  /** Removes rows' files where they were last seen, and tells of each what became of it. Rejects with faults of the program only. */
  unlink(
    rows: readonly number[],
    tell: (row: number, outcome: UnlinkOutcome) => void,
  ): Promise<void>;
  /** Makes what was removed from a folder outlast a power cut. @throws {Error} when it may not */
  sync(folder: Folder): Promise<void>;
}

/** A file that may be the one that is to be removed, but has another content. */
export class ChangedError extends Error {
  override name = "ChangedError";
}

/**
 * Whether a file that has a row's name is the message that was listed.
 *
 * @returns false when it is another message
 * @throws {NotRegularError} when it is none
 * @throws {ChangedError} when that cannot be told
 */
export function mayRemove(
  mailbox: Mailbox,
  messageIndex: MessageIndex,
  row: number,
  look: FileLook,
): boolean {
  if (!look.isFile) throw new NotRegularError("it is no regular file any more");
  const likeness = messageIndex.compare(row, look);
  if (likeness === "same") return true;
  if (likeness === "other" || mailbox.layout === "plain") return false;
  // Files of big mailboxes are not looked at in each login. One that has had another content for longer is what was listed.
  if (messageIndex.inode(row) === 0 && look.changed < mailbox.foundAt - CLOCK_SKEW) return true;
  throw new ChangedError("another program changed it after the login");
}

/** What an {@linkcode Unlinker} works on. */
export interface UnlinkerOptions {
  readonly mailbox: Mailbox;
  readonly messageIndex: MessageIndex;
  /** Knows where the files lie. */
  readonly locator: Locator;
  /** Lets others run in between. */
  readonly task: YieldingTask;
  /** Asked before each file; absent where nothing can take the user's lock away. */
  readonly permit?: MayRemove | undefined;
}

/** Removes by name, in a mailbox in which nobody but the server's account exchanges what a name stands for. */
export class NameUnlinker implements Unlinker {
  readonly #options: UnlinkerOptions;

  constructor(options: UnlinkerOptions) {
    this.#options = options;
  }

  async unlink(
    rows: readonly number[],
    tell: (row: number, outcome: UnlinkOutcome) => void,
  ): Promise<void> {
    const { permit, task } = this.#options;
    for (const row of rows) {
      tell(row, this.#unlink(row, permit));
      if (task.due()) await task.pause();
    }
  }

  async sync(folder: Folder): Promise<void> {
    const state = this.#options.mailbox.folders.get(folder)!;
    await answering(state.path, async () => {
      using open = await Deno.open(state.path, { read: true });
      // Syncing another folder that has the name by now would promise what is not so.
      if (!isFolder(state, await open.stat())) {
        throw new MaildropUnreadableError("it was moved away meanwhile");
      }
      await open.sync();
    });
  }

  #unlink(row: number, permit: MayRemove | undefined): UnlinkOutcome {
    const { mailbox, messageIndex, locator } = this.#options;
    const path = locator.path(row);
    try {
      if (!mayRemove(mailbox, messageIndex, row, lookAtName(path))) {
        locator.checkFolder(messageIndex.folders[row] as Folder);
        return "missing";
      }
      // Last, so that nothing lies between the answer and what is done.
      if (permit?.() === false) return new LockLostError("the lock was lost");
      unlinkSync(path);
      return "removed";
    } catch (error) {
      if (isNotFound(error)) return "missing";
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
