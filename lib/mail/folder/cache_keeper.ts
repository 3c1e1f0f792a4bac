/** Writes one open mailbox's cache: off the login's way, and without losing what another session of the same user wrote. */

import { delay } from "../../async/delay.ts";
import type { RunningTime } from "../../async/running_time.ts";
import {
  type CacheVersion,
  cacheVersion,
  isSameVersion,
  type ListingTime,
  readCache,
  writeCache,
} from "./cache_file.ts";
import type { MessageIndex } from "./message_index.ts";
import { isFileError } from "../../files/file_error.ts";
import { uniquePart } from "../naming/maildir_name.ts";
import type { Mailbox } from "./mailbox.ts";

/** Times that a session's end tries to write while another one's cache is being written, and milliseconds from one to the next. */
const MOST_TRIES = 10;
const BETWEEN_TRIES = 20;

/** Settings of a {@linkcode CacheKeeper}. */
export interface CacheKeeperOptions {
  readonly mailbox: Mailbox;
  readonly running: RunningTime;
  /** The version that the message index came from; undefined when it came from no cache. */
  readonly version: CacheVersion | undefined;
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

  /** Writes when the answer to the login has had its turn. */
  writeSoon(messageIndex: MessageIndex, listed: ListingTime | undefined): void {
    this.#writing = delay(0).then(async () => void await this.#write(messageIndex, listed));
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
    const { mailbox, running, cannotWrite } = this.#options;
    try {
      if (!isSameVersion(cacheVersion(mailbox), this.#version)) {
        const other = readCache(mailbox, running);
        if (other !== undefined) learnRetrieved(messageIndex, other.contents.messageIndex);
      }
      const version = await writeCache(mailbox, messageIndex, listed, running);
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
 * Takes over the earlier of two first retrievals of the same message. A twin has the same unique part, and in a plain folder a name comes again
 * with another message: who took over their times would remove what nobody retrieved.
 */
function learnRetrieved(messageIndex: MessageIndex, other: MessageIndex): void {
  const rowsOf = new Map<string, number[]>();
  other.names.forEach((name, row) => {
    if (other.firstRetrieved[row] === 0) return;
    const unique = uniquePart(name);
    const rows = rowsOf.get(unique);
    if (rows === undefined) rowsOf.set(unique, [row]);
    else rows.push(row);
  });
  if (rowsOf.size === 0) return;
  messageIndex.names.forEach((name, row) => {
    const rows = rowsOf.get(uniquePart(name));
    const from = rows?.find((each) => isSameMessage(messageIndex, row, other, each));
    if (from === undefined) return;
    const theirs = other.firstRetrieved[from]!;
    const ours = messageIndex.firstRetrieved[row]!;
    messageIndex.firstRetrieved[row] = ours === 0 ? theirs : Math.min(ours, theirs);
  });
}

/** Whether two rows of one unique part have the same size and time, as far as they are known. */
function isSameMessage(a: MessageIndex, row: number, b: MessageIndex, other: number): boolean {
  if (!a.isMeasured(row) || !b.isMeasured(other)) return true;
  if (a.storedSize[row] !== b.storedSize[other]) return false;
  const [ours, theirs] = [a.modified[row], b.modified[other]];
  return ours === 0 || theirs === 0 || ours === theirs;
}
