/** Removes messages' files so that no crash brings them back. */

import { delay } from "../../async/delay.ts";
import type { YieldingTask } from "../../async/yielder.ts";
import type { Folder, MessageIndex } from "./message_index.ts";
import { fileErrorReason, isFileError, isNotFound } from "../../files/file_error.ts";
import { type Locator, TICKS } from "./locator.ts";
import type { Mailbox } from "./mailbox.ts";
import { MaildropUnreadableError } from "../../contracts/mail_store.ts";
import { NotRegularError } from "./regular_file.ts";

/** Times that files are looked for under new names: who renames faster than that is reported, not waited for. */
const MOST_LISTINGS = 8;

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
      locator.list();
      const found = new Set(missing.filter((row) => locator.findListed(row)));
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
        await syncFolder(this.#mailbox.folders.get(folder)!.path);
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

  #unlink(row: number): boolean {
    this.#locator.checkFolder(row);
    const path = this.#locator.path(row);
    try {
      const info = Deno.lstatSync(path);
      // Removing would take an empty folder too.
      if (!info.isFile) throw new NotRegularError("it is no regular file any more");
      const isSame = this.#messageIndex.looksLike(row, info);
      // In a plain folder another message may have taken the name, and must not be lost for the one that is marked.
      if (this.#mailbox.layout === "plain" && !isSame) return false;
      Deno.removeSync(path);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }
}

/** Whether what lies there is no longer what may be removed. */
function isRefusal(error: unknown): error is Error {
  return error instanceof MaildropUnreadableError || error instanceof NotRegularError ||
    error instanceof RenamedError;
}

async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path, { read: true });
  await folder.sync();
}
