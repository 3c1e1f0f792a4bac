/** Removes messages' files so that no crash brings them back. */

import { delay } from "../../async/delay.ts";
import type { YieldingTask } from "../../async/yielder.ts";
import type { Folder, MessageIndex } from "./message_index.ts";
import { fileErrorReason, isFileError, isNotFound } from "../../files/file_error.ts";
import { type Locator, TICKS } from "./locator.ts";
import { type FolderState, isFolder, type Mailbox } from "./mailbox.ts";
import { MaildropUnreadableError } from "../../contracts/mail_store.ts";
import { unlinkSync } from "node:fs";
import { type FileLook, lookAtName } from "./file_look.ts";
import { NotRegularError } from "./regular_file.ts";

/** Times that files are looked for under new names: who renames faster than that is reported, not waited for. */
const MOST_LISTINGS = 8;

/** How far the clock of a file server may be off, in milliseconds. */
const CLOCK_SKEW = 60_000;

/** What became of the files. */
export interface Removal {
  /** Rows whose files are gone for good; those that were gone already included. */
  readonly removed: ReadonlySet<number>;
  /** Rows whose files are unlinked, but whose folder could not be synced: a power failure could bring them back. */
  readonly unsynced: ReadonlySet<number>;
  /** Rows whose files this removal unlinked. */
  readonly unlinked: number;
  /** Why others stayed, one sentence for each kind of reason. */
  readonly reasons: ReadonlySet<string>;
  /** The first error that files are not to blame for. */
  readonly fault: unknown;
}

/**
 * Removes rows' files. The folders are synced once at the end: a thousand messages cost one wait for the disk, not a thousand.
 * Never rejects: whatever fails, the other files are tried, and what was unlinked is synced and told.
 *
 * @param locator knows where they lie
 * @param task lets others run in between
 */
export async function removeFiles(
  mailbox: Mailbox,
  messageIndex: MessageIndex,
  rows: Iterable<number>,
  locator: Locator,
  task: YieldingTask,
): Promise<Removal> {
  const removal = new RemovalInProgress(mailbox, messageIndex, locator, task);
  try {
    let missing = await removal.unlinkAll(rows);
    // Renamed, or gone. One listing tells of all; what was renamed again since, or while it was made, is looked for again.
    for (let listings = 1; missing.length > 0; listings++) {
      await locator.list();
      const found = new Set<number>();
      for (const row of missing) {
        if (locator.findListed(row)) found.add(row);
        if (task.due()) await task.pause();
      }
      if (locator.isWhole) {
        for (const row of missing) if (!found.has(row)) removal.removed.add(row);
        missing = [...found];
      }
      missing = await removal.unlinkAll(missing);
      if (listings === MOST_LISTINGS && missing.length > 0) {
        throw new RenamedError("other programs keep renaming messages");
      }
      if (missing.length > 0) await delay(TICKS + 1);
    }
  } catch (error) {
    // Whether they are there cannot be told, so they count as there; what was unlinked must be synced all the same.
    removal.fail(error);
  }
  await removal.sync();
  return removal;
}

/** A file that had another name each time it was to be unlinked. */
class RenamedError extends Error {
  override name = "RenamedError";
}

/** Collects what becomes of files. */
class RemovalInProgress implements Removal {
  readonly removed = new Set<number>();
  readonly unsynced = new Set<number>();
  readonly reasons = new Set<string>();
  fault: unknown;
  unlinked = 0;
  readonly #mailbox: Mailbox;
  readonly #messageIndex: MessageIndex;
  readonly #locator: Locator;
  readonly #touched = new Map<Folder, number[]>();
  readonly #task: YieldingTask;

  constructor(mailbox: Mailbox, messageIndex: MessageIndex, locator: Locator, task: YieldingTask) {
    this.#mailbox = mailbox;
    this.#messageIndex = messageIndex;
    this.#locator = locator;
    this.#task = task;
  }

  /** Unlinks files; tells which rows have none where they were last seen. */
  async unlinkAll(rows: Iterable<number>): Promise<number[]> {
    const missing: number[] = [];
    for (const row of rows) {
      try {
        if (this.#unlink(row)) this.#note(row);
        else missing.push(row);
      } catch (error) {
        this.fail(error);
      }
      if (this.#task.due()) await this.#task.pause();
    }
    return missing;
  }

  /** Notes why files stay. A fault of the program must not keep what is unlinked from being synced, so it is noted like any other. */
  fail(error: unknown): void {
    if (!isFileError(error) && !isRefusal(error)) this.fault ??= error;
    this.reasons.add(fileErrorReason(error));
  }

  /** Makes what was unlinked outlast a power cut. */
  async sync(): Promise<void> {
    for (const [folder, rows] of this.#touched) {
      try {
        await syncFolder(this.#mailbox.folders.get(folder)!);
      } catch (error) {
        this.reasons.add(`the folder could not be synced: ${fileErrorReason(error)}`);
        for (const row of rows) {
          this.removed.delete(row);
          this.unsynced.add(row);
        }
      }
    }
  }

  #note(row: number): void {
    const folder = this.#messageIndex.folders[row] as Folder;
    const rows = this.#touched.get(folder);
    if (rows === undefined) this.#touched.set(folder, [row]);
    else rows.push(row);
    this.removed.add(row);
    this.unlinked++;
  }

  /**
   * Whether a file that is not known by its inode lay there as it is when the mailbox was opened. Files of big mailboxes are not looked at in each
   * login, so it may have another content since an earlier one.
   */
  #wasListed(row: number, { changed }: FileLook): boolean {
    return this.#messageIndex.inode(row) === 0 && changed < this.#mailbox.foundAt - CLOCK_SKEW;
  }

  /** Unlinks the file that was listed, and no other that has its name by now. */
  #unlink(row: number): boolean {
    const path = this.#locator.path(row);
    try {
      const look = lookAtName(path);
      if (!look.isFile) throw new NotRegularError("it is no regular file any more");
      if (this.#mailbox.writers !== "server") {
        this.#locator.checkFolder(this.#messageIndex.folders[row] as Folder);
      }
      const likeness = this.#messageIndex.compare(row, look);
      if (likeness === "other" || (likeness === "changed" && this.#mailbox.layout === "plain")) {
        this.#locator.checkFolder(this.#messageIndex.folders[row] as Folder);
        return false;
      }
      if (likeness === "changed" && !this.#wasListed(row, look)) {
        throw new ChangedError("another program changed it after the login");
      }
      unlinkSync(path);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }
}

/** A file that may be the one that is to be removed, but has another content. */
class ChangedError extends Error {
  override name = "ChangedError";
}

/** Whether what lies there is no longer what may be removed. */
function isRefusal(error: unknown): error is Error {
  return error instanceof MaildropUnreadableError || error instanceof NotRegularError ||
    error instanceof RenamedError || error instanceof ChangedError;
}

/** Syncs the folder that was found, and no other that has its name by now: what was unlinked is to stay so. */
async function syncFolder(state: FolderState): Promise<void> {
  using folder = await Deno.open(state.path, { read: true });
  if (!isFolder(state, await folder.stat())) {
    throw new MaildropUnreadableError("it was moved away meanwhile");
  }
  await folder.sync();
}
