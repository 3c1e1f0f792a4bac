/** Removes the messages of a mailbox that were retrieved long enough ago. */

import type { YieldingTask } from "../../async/yielder.ts";
import { printable } from "../../bytes/printable.ts";
import type { MayRemove, RaiseFence } from "../../contracts/mail_store.ts";
import { Locator } from "../folder/locator.ts";
import type { Mailbox } from "../folder/mailbox.ts";
import { Mark, type MessageIndex } from "../folder/message_index.ts";
import type { HeldMailbox } from "../held/held_mailbox.ts";
import { type Removal, removeFiles } from "./remove_files.ts";
import { unlinkerOf } from "./unlinker_of.ts";

/** Which messages of what. */
export interface RemoveExpiredOptions {
  readonly mailbox: Mailbox;
  readonly messageIndex: MessageIndex;
  readonly held: HeldMailbox;
  /** The latest time of a first retrieval, in milliseconds that the server has run, whose message goes. */
  readonly before: number;
  readonly task: YieldingTask;
  /** Asked before anything is removed; absent where nothing can take the user's lock away. */
  readonly fence?: RaiseFence | undefined;
  /** Told of messages that could not be removed. */
  readonly warn: (message: string, properties?: Record<string, unknown>) => void;
}

/** @returns what became of them; undefined when there are none, or the user's lock is not surely held */
export async function removeExpired(options: RemoveExpiredOptions): Promise<Removal | undefined> {
  const { mailbox, messageIndex, held, before, task, warn } = options;
  const due: number[] = [];
  messageIndex.firstRetrieved.forEach((time, row) => {
    // A file that nobody looked into (older versions did not) may be no mail, but its owner's.
    const isMail = mailbox.layout === "maildir" || (messageIndex.marks[row]! & Mark.MAIL) !== 0;
    if (time > 0 && time <= before && isMail) due.push(row);
  });
  if (due.length === 0) return undefined;
  let mayRemove: MayRemove | undefined;
  if (options.fence !== undefined) {
    mayRemove = await options.fence().catch(() => undefined);
    // The next login, or the next day's sweep, removes them.
    if (mayRemove === undefined) return undefined;
  }
  const locator = new Locator(mailbox, messageIndex, task);
  const unlinker = unlinkerOf(held, { mailbox, messageIndex, locator, task, permit: mayRemove });
  const removal = await removeFiles(unlinker, messageIndex, due, locator, task);
  const { removed, unsynced, reasons } = removal;
  if (reasons.size > 0) {
    const stayed = due.length - removed.size - unsynced.size;
    warn(`${stayed} of ${due.length} expired messages could not be removed from a mailbox.`, {
      mailbox: mailbox.path,
      unsynced: unsynced.size,
      reasons: [...reasons].map((reason) => printable(reason)),
    });
  }
  return removal;
}
