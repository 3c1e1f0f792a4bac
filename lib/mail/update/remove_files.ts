/** Removes messages' files so that no crash brings them back. */

import { delay } from "../../async/delay.ts";
import type { YieldingTask } from "../../async/yielder.ts";
import { HelperError, NoHelperError } from "../../contracts/held_folders.ts";
import { LockLostError, MaildropUnreadableError } from "../../contracts/mail_store.ts";
import { fileErrorReason, isFileError } from "../../files/file_error.ts";
import { type Locator, TICKS } from "../folder/locator.ts";
import type { Folder, MessageIndex } from "../folder/message_index.ts";
import { NotRegularError } from "../folder/regular_file.ts";
import { ChangedError, type Unlinker } from "./unlinker.ts";

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
  /** Whether nothing could be removed at all until somebody installs what it takes. */
  readonly isHelpless: boolean;
  /** Whether files stayed because the user's lock was lost. */
  readonly isLockLost: boolean;
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
  unlinker: Unlinker,
  messageIndex: MessageIndex,
  rows: Iterable<number>,
  locator: Locator,
  task: YieldingTask,
): Promise<Removal> {
  const removal = new RemovalInProgress(unlinker, messageIndex);
  try {
    let missing = await removal.unlinkAll([...rows]);
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
  isHelpless = false;
  isLockLost = false;
  fault: unknown;
  unlinked = 0;
  readonly #unlinker: Unlinker;
  readonly #messageIndex: MessageIndex;
  readonly #touched = new Map<Folder, number[]>();

  constructor(unlinker: Unlinker, messageIndex: MessageIndex) {
    this.#unlinker = unlinker;
    this.#messageIndex = messageIndex;
  }

  /** Unlinks files; tells which rows have none where they were last seen. */
  async unlinkAll(rows: readonly number[]): Promise<number[]> {
    const missing: number[] = [];
    await this.#unlinker.unlink(rows, (row, outcome) => {
      if (outcome === "removed") this.#note(row);
      else if (outcome === "missing") missing.push(row);
      else this.fail(outcome);
    });
    return missing;
  }

  /** Notes why files stay. A fault of the program must not keep what is unlinked from being synced, so it is noted like any other. */
  fail(error: unknown): void {
    this.isHelpless ||= error instanceof NoHelperError;
    this.isLockLost ||= error instanceof LockLostError;
    if (!isFileError(error) && !isRefusal(error)) this.fault ??= error;
    this.reasons.add(fileErrorReason(error));
  }

  /** Makes what was unlinked outlast a power cut. */
  async sync(): Promise<void> {
    for (const [folder, rows] of this.#touched) {
      try {
        await this.#unlinker.sync(folder);
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
}

/** Whether what lies there is no longer what may be removed, or cannot be worked on. */
function isRefusal(error: unknown): error is Error {
  return REFUSALS.some((kind) => error instanceof kind);
}

const REFUSALS = [
  LockLostError,
  MaildropUnreadableError,
  NotRegularError,
  RenamedError,
  ChangedError,
  NoHelperError,
  HelperError,
] as const;
