/** A session's use of the mailbox's `.postern-uidl`: read at login, written when something is to be written down. */

import { delay } from "../../async/delay.ts";
import type { YieldingTask } from "../../async/yielder.ts";
import { fileErrorReason, isFileError } from "../../files/file_error.ts";
import type { Mailbox } from "../folder/mailbox.ts";
import type { UnchangedFolders } from "../listing/unchanged_folders.ts";
import type { StoreWarnings } from "../folder/store_warnings.ts";
import type { KeptNames } from "../naming/name_messages.ts";
import type { KeptIds } from "./kept_ids.ts";
import { type FoundLines, noteShown, readUidlFile, writeUidlFile } from "./uidl_files.ts";

/** What the session works with. */
export interface SessionUidlOptions {
  /** The user id that the server runs under. */
  readonly account: number;
  /** Files that the mailbox has, about. */
  readonly files: number;
  /** Mailboxes that are known to have no such file. */
  readonly without: UnchangedFolders;
  readonly task: YieldingTask;
  readonly warnings: StoreWarnings;
}

/** The kept ids of one session's mailbox. */
export class SessionUidl {
  readonly #mailbox: Mailbox;
  readonly #options: SessionUidlOptions;
  #found: FoundLines | undefined;
  readonly #modified: number;
  #writing: Promise<void> = Promise.resolve();

  private constructor(mailbox: Mailbox, options: SessionUidlOptions, found: FoundLines) {
    this.#mailbox = mailbox;
    this.#options = options;
    this.#found = found;
    this.#modified = found.look.modified;
  }

  /**
   * Reads the file. A mailbox without one costs a look for it, and none while it looks the same.
   *
   * @returns undefined when there is none
   * @throws {MaildropUnreadableError} when it cannot be used
   * @throws {MaildropUnavailableError} when it cannot be read now
   */
  static async read(
    mailbox: Mailbox,
    options: SessionUidlOptions,
  ): Promise<SessionUidl | undefined> {
    const { account, files: rows, task, without } = options;
    if (without.has(mailbox.self)) return undefined;
    const found = await readUidlFile(mailbox, { account, rows, task });
    if (found === undefined) without.add(mailbox.self, mailbox.foundAt);
    return found && new SessionUidl(mailbox, options, found);
  }

  /** What messages are named with. The lines are let go of: what a session needs of them is less. */
  names(): KeptNames {
    const lines = this.#found?.lines ?? [];
    this.#found = undefined;
    return {
      lines,
      now: Math.floor(Date.now() / 1000),
      shown: () => {
        const reason = noteShown(this.#mailbox);
        if (reason !== undefined) this.#options.warnings.uidlNotWritable(this.#mailbox, reason);
      },
    };
  }

  /** Writes what is new when the answer to the login has had its turn. */
  writeSoon(kept: KeptIds): void {
    const lines = kept.news(Math.abs(Date.now() - this.#modified));
    if (lines === undefined) return;
    const { task, warnings } = this.#options;
    this.#writing = delay(0).then(async () => {
      try {
        await writeUidlFile(this.#mailbox, lines, { task });
      } catch (error) {
        if (!isFileError(error)) throw error;
        warnings.uidlNotWritable(this.#mailbox, fileErrorReason(error));
      }
    });
    // Whoever awaits it is told of a failure; until then it must not end the process.
    this.#writing.catch(() => {});
  }

  /** Settles when nothing is being written any more. */
  settled(): Promise<void> {
    return this.#writing;
  }
}
