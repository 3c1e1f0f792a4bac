/** What a mail store warns its administrator of, each thing once. */

import { fileErrorReason } from "../../files/file_error.ts";
import type { Mailbox } from "./mailbox.ts";

/** Warnings of one store. */
export class StoreWarnings {
  readonly #warn: (message: string, properties?: Record<string, unknown>) => void;
  /** Mailboxes and folders that were told of; as many as there are at most. */
  readonly #notWritable = new Set<string>();
  readonly #uidlNotWritable = new Set<string>();
  readonly #shared = new Set<string>();
  #toldBegunAnew = false;

  /** @param warn writes a warning */
  constructor(warn: (message: string, properties?: Record<string, unknown>) => void) {
    this.#warn = warn;
  }

  /** The days of expire begin again. After a new state file it would be true of each mailbox, so one is told for all. */
  begunAnew(mailbox: Mailbox, messages: number): void {
    if (this.#toldBegunAnew) return;
    this.#toldBegunAnew = true;
    this.#warn(
      "Retrieved messages of a mailbox have all days of expire again: it was restored or moved, or the server has another state " +
        "file. Other mailboxes like it are not named.",
      { mailbox: mailbox.path, messages },
    );
  }

  /** Others can rename folders above a mailbox. */
  shared({ shared }: Mailbox): void {
    if (shared === undefined || this.#shared.has(shared)) return;
    this.#shared.add(shared);
    this.#warn(
      "Others than the server can rename folders in {folder}: one user could put another's mailbox in the place of his own. " +
        "Take the permission to write from the folder's group and from everybody.",
      { folder: shared },
    );
  }

  /** A mailbox's cache cannot be kept. */
  notWritable(mailbox: Mailbox, reason: Error): void {
    if (this.#notWritable.has(mailbox.path)) return;
    this.#notWritable.add(mailbox.path);
    this.#warn(
      "A mailbox cannot be written, so its messages are measured anew in each session.",
      { mailbox: mailbox.path, reason: fileErrorReason(reason) },
    );
  }

  /** A mailbox's `.postern-uidl` cannot be written. */
  uidlNotWritable(mailbox: Mailbox, reason: string): void {
    if (this.#uidlNotWritable.has(mailbox.path)) return;
    this.#uidlNotWritable.add(mailbox.path);
    this.#warn("The unique-ids that a mailbox keeps could not be written down.", {
      mailbox: mailbox.path,
      reason,
    });
  }
}
