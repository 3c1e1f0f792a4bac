/** Finds and makes users' mailboxes: what a mail store and a delivery have in common. */

import type { UserRecord } from "../../contracts/user_record.ts";
import { refuseUserName } from "../../bytes/user_name.ts";
import { MaildropUnavailableError } from "../../contracts/mail_store.ts";
import { isNotFound } from "../../files/file_error.ts";
import type { FolderProbe } from "../folder_probe.ts";
import {
  type MailboxPathOptions,
  type MailboxPlace,
  mailboxPlace,
} from "../naming/mailbox_path.ts";
import { findMailbox, type Mailbox, unreadable } from "../folder/mailbox.ts";
import { type FileIds, makeMailbox } from "./make_mailbox.ts";
import { ServedMailboxes } from "./served_mailboxes.ts";

/** Where mailboxes lie, and whose they are. */
export interface MailboxPlacesOptions extends MailboxPathOptions {
  /** The user id that the server runs under: names that only it and root can put into a mailbox are trusted. */
  readonly account: number;
  /** Whose are the folders that are made. @default {"own"} */
  readonly ids?: FileIds;
  /** Whether no server need have prepared the mail folder. @default false */
  readonly unprepared?: boolean;
  /** Told what an operator should know; `properties` are safe to print. */
  readonly warn: (message: string, properties?: Record<string, unknown>) => void;
}

/** The mailboxes of one thread. */
export class MailboxPlaces {
  /** Whose mailboxes were there before. */
  readonly served: ServedMailboxes;
  readonly #options: MailboxPlacesOptions;
  readonly #probe: FolderProbe;

  /** @param probe asks whether a mailbox's file system answers */
  constructor(options: MailboxPlacesOptions, probe: FolderProbe) {
    this.#options = options;
    this.#probe = probe;
    this.served = new ServedMailboxes(options);
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
    this.served.checkMounted();
    makeMailbox(path, base, this.#options.ids);
  }

  /**
   * Makes a user's mailbox at the first login. An empty one is shown to nobody who had another: clients that keep their mail here would forget it.
   *
   * @throws {MaildropUnavailableError} when the user had one, when the mail folder, or the home, is not there, or when it cannot be made now
   * @throws {MaildropUnreadableError} when it may not be made
   */
  make(user: string, place: MailboxPlace): Mailbox {
    const { path, base } = place;
    try {
      this.served.checkNew(user);
      this.create(place);
    } catch (error) {
      if (!isNotFound(error)) throw unreadable(path, error, "made");
      throw new MaildropUnavailableError(
        `The folder ${base} is not there, so there is no mailbox in it. Make it, or mount it.`,
        { cause: error },
      );
    }
    const made = this.find(place);
    if (made !== undefined) return made;
    throw new MaildropUnavailableError(`${path} was moved away just now.`);
  }
}
