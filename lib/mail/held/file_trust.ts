/** Judges files that were opened by names which others than the server can exchange: by what is open, whatever the name stood for. */

import { NoHelperError } from "../../contracts/held_folders.ts";
import { MaildropUnreadableError } from "../../contracts/mail_store.ts";
import type { FileLook } from "../folder/file_look.ts";
import type { Mailbox } from "../folder/mailbox.ts";
import { NotRegularError } from "../folder/regular_file.ts";
import type { HeldMailbox } from "./held_mailbox.ts";

/** Milliseconds for which a listing of the mailbox is not made again: who exchanges names must not keep the helper busy. */
const LIST_PAUSE = 1000;

/** A file that was reached by a name of the mailbox and does not lie in it. */
export class ForeignFileError extends NotRegularError {
  override name = "ForeignFileError";

  constructor() {
    super("it does not belong to this mailbox");
  }
}

/** Knows which files are a mailbox's. */
export class FileTrust {
  readonly #mailbox: Mailbox;
  readonly #held: HeldMailbox;
  /** Times of files by inode; made when it is needed. */
  #listed: ReadonlyMap<number, number> | undefined;
  #listing: Promise<void> | undefined;
  #listedAt = -Infinity;

  constructor(mailbox: Mailbox, held: HeldMailbox) {
    this.#mailbox = mailbox;
    this.#held = held;
  }

  /**
   * Makes sure that an open file is one of the mailbox's.
   *
   * The owner of a mailbox that nobody else writes in reaches files of others through it, but files of the owner's are the owner's own. All other
   * files must lie in the mailbox's own folders.
   *
   * @returns nothing where that is told by the look alone
   * @throws {ForeignFileError} when it is not; or the promise rejects with it
   * @throws {MaildropUnreadableError} when it cannot be told here
   * @throws {Error} when it cannot be told now
   */
  check(look: FileLook): Promise<void> | undefined {
    const { writers, owner, folders } = this.#mailbox;
    if (writers === "server") return undefined;
    if (!folders.values().some(({ stamp }) => stamp.device === look.device)) {
      throw new ForeignFileError();
    }
    if (writers === "owner" && look.owner === owner) return undefined;
    if (this.#isListed(look)) return undefined;
    if (performance.now() - this.#listedAt < LIST_PAUSE) throw new ForeignFileError();
    return this.#list(look);
  }

  /** A number of an inode is given to a new file when the old one is gone; its time, only its owner can set. */
  #isListed({ inode, modified }: FileLook): boolean {
    return this.#listed?.get(inode) === modified;
  }

  async #list(look: FileLook): Promise<void> {
    this.#listing ??= this.#listAll().finally(() => this.#listing = undefined);
    await this.#listing;
    if (!this.#isListed(look)) throw new ForeignFileError();
  }

  async #listAll(): Promise<void> {
    try {
      this.#listed = await this.#held.list();
      this.#listedAt = performance.now();
    } catch (cause) {
      if (!(cause instanceof NoHelperError)) throw cause;
      throw new MaildropUnreadableError(`${this.#mailbox.path}: ${cause.message}`, { cause });
    }
  }
}
