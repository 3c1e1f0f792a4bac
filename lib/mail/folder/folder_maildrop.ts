/** An open mailbox of files, as a session sees it. */

import type { RunningTime } from "../../async/running_time.ts";
import type { Yielder } from "../../async/yielder.ts";
import { printable } from "../../bytes/printable.ts";
import type { DeletedNote } from "../trash/trash_folder.ts";
import { openUnpacked } from "../message/packed_message.ts";
import { changeUse } from "../delivery/maildir_size.ts";
import type { CacheKeeper } from "./cache_keeper.ts";
import { type Folder, Mark, type MessageIndex } from "./message_index.ts";
import { fileErrorReason, isNotFound } from "../../files/file_error.ts";
import { type FileLook, lookAtName } from "./file_look.ts";
import { Locator } from "./locator.ts";
import {
  type Maildrop,
  type MayRemove,
  MessageChangedError,
  MessageGoneError,
  type MessageInfo,
  type RemovalOutcome,
  type StoredMessage,
} from "../../contracts/mail_store.ts";
import type { Mailbox } from "./mailbox.ts";
import { markSeen } from "../update/mark_seen.ts";
import { FileMeter, keepMeasures } from "../message/measure_file.ts";
import type { FolderProbe } from "../folder_probe.ts";
import type { FolderMessage } from "../naming/name_messages.ts";
import { notRegular, type OpenFile, openFile } from "./regular_file.ts";
import { removeFiles } from "../update/remove_files.ts";
import type { FileTrust } from "../held/file_trust.ts";
import type { HeldMailbox } from "../held/held_mailbox.ts";
import { unlinkerOf } from "../update/unlinker_of.ts";
import type { SessionUidl } from "../uidl/session_uidl.ts";
import { StoredFile } from "../message/stored_file.ts";

/** What a {@linkcode FolderMaildrop} is made of. */
export interface FolderMaildropOptions {
  readonly mailbox: Mailbox;
  readonly messageIndex: MessageIndex;
  readonly messages: readonly FolderMessage[];
  readonly cache: CacheKeeper;
  /** The mailbox's kept ids, where it has some. */
  readonly uidl: SessionUidl | undefined;
  readonly held: HeldMailbox;
  /** Tells the mailbox's files from others that its names lead to. */
  readonly trust: FileTrust;
  /** Whether removed messages are kept for a while. */
  readonly trash: boolean;
  /** Whether retrieved messages are marked seen. */
  readonly flagUpdates: boolean;
  readonly yielder: Yielder;
  /** Asks whether the mailbox's file system answers. */
  readonly probe: FolderProbe;
  readonly running: RunningTime;
  readonly warn: (message: string, properties?: Record<string, unknown>) => void;
  /** Told at the end, when all is as it was. */
  readonly unchanged?: () => void;
}

/** A {@linkcode Maildrop} of files. */
export class FolderMaildrop implements Maildrop {
  readonly messages: readonly FolderMessage[];
  readonly #options: FolderMaildropOptions;
  readonly #messageIndex: MessageIndex;
  /** Made when the first message is asked for: most sessions ask for none. */
  #locator: Locator | undefined;
  /** Rows of messages, of which most sessions have none. */
  #retrieved: Set<number> | undefined;
  #removed: Set<number> | undefined;
  #isDisposed = false;
  /** Whether the cache should hear of what was found during the session. */
  #isNews = false;

  constructor(options: FolderMaildropOptions) {
    this.#options = options;
    this.#messageIndex = options.messageIndex;
    this.messages = options.messages;
  }

  async open(message: MessageInfo, signal?: AbortSignal): Promise<StoredMessage> {
    const row = this.#rowOf(message);
    await this.#answers(signal);
    const opened = await this.#openFile(row);
    const { file, look } = opened;
    const { yielder } = this.#options;
    try {
      const measures = await this.#measuresOf(row, file, look, signal);
      const isPacked = (this.#messageIndex.marks[row]! & Mark.PACKED) !== 0;
      return isPacked
        ? await openUnpacked(this.#options.mailbox.path, file, measures, yielder.task(signal))
        : new StoredFile({ ...opened, ...measures });
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  lastRetrieved(): number {
    const { firstRetrieved } = this.#messageIndex;
    return 1 + this.messages.findLastIndex(({ row }) => firstRetrieved[row] !== 0);
  }

  retrieved(message: MessageInfo): void {
    (this.#retrieved ??= new Set()).add(this.#rowOf(message));
  }

  async remove(
    messages: readonly MessageInfo[],
    mayRemove?: MayRemove,
    by = "",
  ): Promise<RemovalOutcome> {
    const rows = messages.map((message) => this.#rowOf(message));
    await this.#answers();
    const { held, mailbox, warn, yielder } = this.#options;
    const locator = this.#places;
    const uids = new Map(messages.map(({ uid }, at) => [rows[at]!, uid]));
    const note = (row: number): DeletedNote => ({
      uid: uids.get(row)!,
      size: this.#messageIndex.size[row]!,
      by,
    });
    const unlinker = unlinkerOf(held, {
      mailbox,
      messageIndex: this.#messageIndex,
      locator,
      task: yielder,
      permit: mayRemove,
    }, this.#options.trash && note);
    const removal = await removeFiles(unlinker, this.#messageIndex, rows, locator, yielder);
    const { removed, unsynced } = removal;
    if (removal.fault !== undefined) {
      warn("Messages could not be removed by a fault of the server: {error}", {
        mailbox: mailbox.path,
        error: removal.fault,
      });
    }
    this.#removed = new Set([...this.#removed ?? [], ...removed]);
    this.#countRemoved([...removed, ...unsynced]);
    return {
      stayed: messages.filter((_, at) => !removed.has(rows[at]!) && !unsynced.has(rows[at]!)),
      unsynced: messages.filter((_, at) => unsynced.has(rows[at]!)),
      reasons: [...removal.reasons].map((reason) => printable(reason, 400)),
      ...(removal.isHelpless && { isHelpless: true }),
      ...(removal.isLockLost && { isLockLost: true }),
    };
  }

  /** Keeps Maildir++'s sums true, where a mailbox has such. */
  #countRemoved(rows: readonly number[]): void {
    const { mailbox } = this.#options;
    if (rows.length === 0 || mailbox.layout === "plain") return;
    const octets = rows.reduce((sum, row) => sum + (this.#messageIndex.storedSize[row] || 0), 0);
    changeUse(mailbox.path, { octets: -octets, messages: -rows.length });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    const { cache, flagUpdates, mailbox, yielder } = this.#options;
    const removed = this.#removed ?? new Set();
    const rows = [...this.#retrieved ?? []].filter((row) => !removed.has(row)).sort((a, b) =>
      a - b
    );
    this.#noteRetrieved(rows);
    if (rows.length > 0 || this.#isNews) await this.#answers();
    try {
      if (flagUpdates && mailbox.layout === "maildir") await this.#markSeen(rows);
    } finally {
      if (this.#isNews) {
        const messageIndex = removed.size > 0
          ? await this.#messageIndex.without(removed, yielder)
          : this.#messageIndex;
        await cache.write(messageIndex);
      }
      await cache.settled();
      await this.#options.uidl?.settled();
      if (rows.length === 0 && removed.size === 0 && !this.#isNews) this.#options.unchanged?.();
    }
  }

  /** Waits until the mailbox's file system answers. @throws {MaildropUnavailableError} when it does not in time */
  #answers(signal?: AbortSignal): Promise<void> {
    const { mailbox, probe } = this.#options;
    return probe.check(mailbox.path, signal);
  }

  get #places(): Locator {
    const { mailbox, yielder } = this.#options;
    this.#locator ??= new Locator(mailbox, this.#messageIndex, yielder);
    return this.#locator;
  }

  /** The rule is a table's, so a message of another maildrop is the caller's fault. */
  #rowOf(message: MessageInfo): number {
    const row = (message as Partial<FolderMessage>).row;
    if (row === undefined || row >= this.#messageIndex.length) {
      throw new TypeError(
        `No message of this maildrop was given, but one with the id ${message.uid}.`,
      );
    }
    return row;
  }

  /** Opens a row's file, whatever its name is by now. */
  async #openFile(row: number): Promise<{ file: OpenFile; path: string; look: FileLook }> {
    for (let attempt = 1;; attempt++) {
      const path = this.#places.path(row);
      try {
        return await this.#openAt(row, path);
      } catch (error) {
        if (!isNotFound(error) && !(error instanceof AnotherFileError)) throw error;
        // The first name found may be old news, and the second is from a new listing.
        if (attempt < 3 && await this.#places.find(row)) continue;
        this.#places.checkFolder(this.#messageIndex.folders[row] as Folder);
        throw gone(this.#messageIndex.names.at(row));
      }
    }
  }

  /** @throws {AnotherFileError} when another file has the name by now */
  async #openAt(
    row: number,
    path: string,
  ): Promise<{ file: OpenFile; path: string; look: FileLook }> {
    const { mailbox, trust } = this.#options;
    const file = openFile(path);
    try {
      // Where nobody else writes, the name tells what is open; asking the open file takes three times as long.
      const look = mailbox.writers === "server" ? lookAtName(path) : file.look();
      if (!look.isFile) throw notRegular();
      const likeness = this.#messageIndex.compare(row, look);
      if (likeness === "other") throw new AnotherFileError(path);
      const isKnown = likeness === "same" && this.#messageIndex.inode(row) !== 0;
      if (!isKnown) await trust.check(look);
      this.#messageIndex.identify(row, look);
      return { file, path, look };
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  /** What was measured at login, if this is still the file that was measured. */
  async #measuresOf(
    row: number,
    file: OpenFile,
    look: FileLook,
    signal: AbortSignal | undefined,
  ): Promise<{ size: number; storedSize: number; verbatim: boolean }> {
    const { size, storedSize, marks, names } = this.#messageIndex;
    if (this.#messageIndex.looksLike(row, look)) {
      const verbatim = (marks[row]! & Mark.VERBATIM) !== 0;
      return { size: size[row]!, storedSize: storedSize[row]!, verbatim };
    }
    // In a plain folder the time and the size belong to the id: this is another message.
    if (this.#options.mailbox.layout === "plain") throw gone(names.at(row));
    // A client would take it for the message, delete it, and have nothing.
    if (look.size === 0 && storedSize[row]! > 0) throw emptied(names.at(row));
    const task = this.#options.yielder.task(signal);
    const measured = await new FileMeter(task).measure(file, look.size, true);
    file.rewind();
    keepMeasures(this.#messageIndex, row, measured, look.modified);
    this.#isNews = true;
    return measured;
  }

  /** Writes the time of the first retrieval down, from which `expire` counts. */
  #noteRetrieved(rows: readonly number[]): void {
    const { firstRetrieved } = this.#messageIndex;
    const now = this.#options.running.now();
    for (const row of rows) {
      if (firstRetrieved[row] !== 0) continue;
      firstRetrieved[row] = now;
      this.#isNews = true;
    }
  }

  async #markSeen(rows: readonly number[]): Promise<void> {
    const { held, mailbox, warn, yielder } = this.#options;
    let failures = 0;
    let first: Error | undefined;
    const failed = (error: Error): void => {
      failures++;
      first ??= error;
    };
    await markSeen({
      mailbox,
      messageIndex: this.#messageIndex,
      locator: this.#places,
      held,
      task: yielder,
      failed,
    }, rows);
    if (first === undefined) return;
    warn(`${failures} retrieved messages of a mailbox could not be marked seen.`, {
      mailbox: mailbox.path,
      reason: fileErrorReason(first),
    });
  }
}

/** A message's name that stands for another file by now. */
class AnotherFileError extends Error {
  override name = "AnotherFileError";
}

function emptied(name: string): MessageChangedError {
  return new MessageChangedError(`Another program emptied the message's file: ${printable(name)}`);
}

function gone(name: string): MessageGoneError {
  return new MessageGoneError(
    `The message's file is gone, and no other has its unique name: ${printable(name)}`,
  );
}
