/** Writes one open mailbox's cache: off the login's way, and without losing what another session of the same user wrote. */

import { delay } from "../../async/delay.ts";
import type { RunningTime } from "../../async/running_time.ts";
import type { YieldingTask } from "../../async/yielder.ts";
import {
  type CacheVersion,
  cacheVersion,
  isSameVersion,
  type ListingTime,
  mostRows,
  readCache,
  writeCache,
} from "./cache_file.ts";
import type { MessageIndex } from "./message_index.ts";
import { dropJournal, type JournalVersion } from "../delivery/delivered_journal.ts";
import { isFileError } from "../../files/file_error.ts";
import { joinByIdentity } from "../listing/join_by_identity.ts";
import type { Mailbox } from "./mailbox.ts";

/** Times that a session's end tries to write while another one's cache is being written, and milliseconds from one to the next. */
const MOST_TRIES = 10;
const BETWEEN_TRIES = 20;
/** Files of one identity that are compared with each other; great numbers are no accident, and would cost their square. */
const MOST_TWINS = 16;

/** Settings of a {@linkcode CacheKeeper}. */
export interface CacheKeeperOptions {
  readonly mailbox: Mailbox;
  readonly running: RunningTime;
  /** The version that the message index came from; undefined when it came from no cache. */
  readonly version: CacheVersion | undefined;
  /** Lets others run while a big cache is written. */
  readonly task: YieldingTask;
  /** Told when the mailbox cannot be written. */
  readonly cannotWrite: (reason: Error) => void;
}

/** Keeps a mailbox's cache. */
export class CacheKeeper {
  readonly #options: CacheKeeperOptions;
  #version: CacheVersion | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: CacheKeeperOptions) {
    this.#options = options;
    this.#version = options.version;
  }

  /**
   * Writes when the answer to the login has had its turn.
   *
   * @param journal what deliveries had written down: of no use any more once it is written
   */
  writeSoon(
    messageIndex: MessageIndex,
    listed: ListingTime | undefined,
    journal?: JournalVersion,
  ): void {
    this.#writing = delay(0).then(async () => {
      const isWritten = await this.#write(messageIndex, listed);
      if (isWritten && journal !== undefined) dropJournal(this.#options.mailbox.path, journal);
    });
    // Whoever awaits it is told of a failure; until then it must not end the process.
    this.#writing.catch(() => {});
  }

  /** Writes now, after what is being written, also by another session: what this one retrieved is told nowhere else. */
  async write(messageIndex: MessageIndex, listed?: ListingTime): Promise<void> {
    await this.#writing;
    for (let tries = 1; !await this.#write(messageIndex, listed); tries++) {
      if (tries === MOST_TRIES) return;
      await delay(BETWEEN_TRIES);
    }
  }

  /** Settles when nothing is being written any more. */
  settled(): Promise<void> {
    return this.#writing;
  }

  /** Returns false when another session or process is writing. */
  async #write(messageIndex: MessageIndex, listed: ListingTime | undefined): Promise<boolean> {
    const { mailbox, running, cannotWrite, task } = this.#options;
    try {
      if (!isSameVersion(cacheVersion(mailbox), this.#version)) {
        // Another session's has about as many rows as this one's.
        const other = await readCache(mailbox, running, mostRows(messageIndex.length), task);
        if (other !== undefined && other !== "too-many") {
          await learnRetrieved(messageIndex, other.contents.messageIndex, task);
        }
      }
      const version = await writeCache(mailbox, messageIndex, listed, running, task);
      if (version === undefined) return false;
      this.#version = version;
    } catch (error) {
      if (!isFileError(error)) throw error;
      cannotWrite(error);
    }
    return true;
  }
}

/**
 * Takes over the earlier of two first retrievals of the same message. A twin has the same identity, and in a plain folder a name comes again
 * with another message: who took over their times would remove what nobody retrieved.
 */
async function learnRetrieved(
  messageIndex: MessageIndex,
  other: MessageIndex,
  task: YieldingTask,
): Promise<void> {
  await joinByIdentity(messageIndex, other, ({ left, leftEnd, right, rightEnd }) => {
    for (let row = left; row < leftEnd; row++) {
      for (let from = right; from < Math.min(rightEnd, right + MOST_TWINS); from++) {
        const theirs = other.firstRetrieved[from]!;
        if (theirs === 0 || !isSameMessage(messageIndex, row, other, from)) continue;
        const ours = messageIndex.firstRetrieved[row]!;
        messageIndex.firstRetrieved[row] = ours === 0 ? theirs : Math.min(ours, theirs);
        break;
      }
    }
  }, task);
}

/** Whether two rows of one identity have the same size and time, as far as they are known. */
function isSameMessage(a: MessageIndex, row: number, b: MessageIndex, other: number): boolean {
  if (!a.isMeasured(row) || !b.isMeasured(other)) return true;
  if (a.storedSize[row] !== b.storedSize[other]) return false;
  const [ours, theirs] = [a.modified[row], b.modified[other]];
  return ours === 0 || theirs === 0 || ours === theirs;
}
