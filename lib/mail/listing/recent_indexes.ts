/** Keeps in memory what the caches of mailboxes told that were served last: clients look for mail every few minutes, most of them in vain. */

import type { RunningTime } from "../../async/running_time.ts";
import { type FoundCache, recheckCache } from "../folder/cache_file.ts";
import { Folder, type MessageIndex } from "../folder/message_index.ts";
import type { Mailbox } from "../folder/mailbox.ts";
import { canBeRemembered } from "./unchanged_folders.ts";

/** Rows of all message indexes that are kept, of some hundred octets each, and mailboxes. */
const MOST_ROWS = 100_000;
const MOST_MAILBOXES = 5000;

/** What the caches of one thread's mailboxes told. */
export class RecentIndexes {
  /** By mailbox, the one that was served longest ago first. */
  readonly #caches = new Map<string, FoundCache>();
  #rows = 0;

  /** Takes what a mailbox's cache told, if it is still the same cache. Whoever has it may change it, so nobody else gets it. */
  take(mailbox: Mailbox, running: RunningTime): FoundCache | undefined {
    const cache = this.#forget(mailbox.path);
    return cache && recheckCache(mailbox, cache, running);
  }

  /**
   * Keeps what a session knows that has changed nothing.
   *
   * @param messageIndex of exactly the messages that the mailbox held when it was found
   */
  put(mailbox: Mailbox, messageIndex: MessageIndex, known: FoundCache): void {
    this.#forget(mailbox.path);
    if (messageIndex.length > MOST_ROWS) return;
    messageIndex.forgetIdentities();
    const contents = { ...known.contents, messageIndex, stamps: stampsOf(mailbox, known) };
    this.#caches.set(mailbox.path, { contents, version: known.version, begunAnew: 0 });
    this.#rows += messageIndex.length;
    for (const path of this.#caches.keys()) {
      if (this.#rows <= MOST_ROWS && this.#caches.size <= MOST_MAILBOXES) return;
      this.#forget(path);
    }
  }

  #forget(path: string): FoundCache | undefined {
    const cache = this.#caches.get(path);
    if (cache === undefined) return undefined;
    this.#caches.delete(path);
    this.#rows -= cache.contents.messageIndex.length;
    return cache;
  }
}

/** The looks by which the next login can tell that the folders hold the same; the cache's own where these cannot be believed yet. */
function stampsOf(
  { folders, foundAt }: Mailbox,
  { contents }: FoundCache,
): FoundCache["contents"]["stamps"] {
  const [fresh, cur] = [folders.get(Folder.NEW), folders.get(Folder.CUR)];
  if (fresh === undefined || cur === undefined) return undefined;
  return canBeRemembered(fresh, foundAt) && canBeRemembered(cur, foundAt)
    ? { new: fresh.stamp, cur: cur.stamp }
    : contents.stamps;
}
