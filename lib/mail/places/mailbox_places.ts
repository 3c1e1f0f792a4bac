/** Finds and makes users' mailboxes: what a mail store and a delivery have in common. */

import type { UserRecord } from "../../contracts/user_record.ts";
import { refuseUserName } from "../../bytes/user_name.ts";
import {
  fileErrorReason,
  isFileError,
  isNotFound,
  isTemporaryFileError,
} from "../../files/file_error.ts";
import type { FolderProbe } from "../folder_probe.ts";
import {
  type MailboxPathOptions,
  type MailboxPlace,
  mailboxPlace,
} from "../naming/mailbox_path.ts";
import { findMailbox, type Mailbox, unreadable } from "../folder/mailbox.ts";
import { type FileIds, makeMailbox } from "./make_mailbox.ts";

/** Where mailboxes lie, and whose they are. */
export interface MailboxPlacesOptions extends MailboxPathOptions {
  /** The user id that the server runs under: names that only it and root can put into a mailbox are trusted. */
  readonly account: number;
  /** Whose are the folders that are made. @default {"own"} */
  readonly ids?: FileIds;
  /** Told what an operator should know; `properties` are safe to print. */
  readonly warn: (message: string, properties?: Record<string, unknown>) => void;
}

/** The mailboxes of one thread. */
export class MailboxPlaces {
  readonly #options: MailboxPlacesOptions;
  readonly #probe: FolderProbe;

  /** @param probe asks whether a mailbox's file system answers */
  constructor(options: MailboxPlacesOptions, probe: FolderProbe) {
    this.#options = options;
    this.#probe = probe;
  }

  /**
   * Waits until a user's mailbox answers. Everything after it stops the thread while it lasts.
   *
   * @throws {MaildropUnavailableError} when it does not answer in time
   */
  async answers(
    user: string,
    record: UserRecord | undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    const { root, defaultDomain, homes = [] } = this.#options;
    if (refuseUserName(user) !== undefined) return;
    const domain = user.split("@")[1] ?? defaultDomain;
    if (domain !== undefined) await this.#probe.check(`${root}/${domain}`, signal);
    for (const { real } of homes) await this.#probe.check(real, signal);
    const place = this.of(user, record);
    if (place !== undefined) await this.#probe.check(place.path, signal);
  }

  /**
   * Says where a user's mailbox lies.
   *
   * @returns undefined for a name that can be no user's
   * @throws {MaildropUnreadableError} as {@linkcode mailboxPlace}
   */
  of(user: string, record: UserRecord | undefined): MailboxPlace | undefined {
    try {
      return mailboxPlace(user, record, this.#options);
    } catch (error) {
      throw unreadable(`The mail folder ${this.#options.root}`, error);
    }
  }

  /** Finds the mailbox at a place; undefined where there is none. @throws {MaildropUnreadableError} when it cannot be used */
  find({ path, root }: MailboxPlace): Mailbox | undefined {
    return findMailbox(path, { root, account: this.#options.account });
  }

  /** Makes a mailbox where there is none. @throws {Error} when it cannot be made */
  create({ path, base }: MailboxPlace): void {
    makeMailbox(path, base, this.#options.ids);
  }

  /**
   * Makes a user's mailbox at the first login. Where that may not be, there is no mail, and the session goes on.
   *
   * @throws {MaildropUnavailableError} when it cannot be made now: the disk is full, or fails
   * @throws {Error} when there is no mail folder, or no home: what is not mounted is not empty, and clients that keep their mail here
   *   would forget it
   */
  make(place: MailboxPlace): Mailbox | undefined {
    const { path, root, base } = place;
    try {
      this.create(place);
    } catch (error) {
      if (!isFileError(error)) throw error;
      if (isNotFound(error)) {
        throw new Error(
          base === root
            ? `The mail folder ${root} is not there. Mount it, or put it back.`
            : `The folder ${base} is not there, so there is no mailbox in it. Make it, or mount it.`,
          { cause: error },
        );
      }
      if (isTemporaryFileError(error)) throw unreadable(path, error);
      this.#options.warn("A user's mailbox could not be made.", {
        mailbox: path,
        reason: fileErrorReason(error),
      });
      return undefined;
    }
    return this.find(place);
  }
}
