/** Delivers into users' mailboxes: finds or makes the Maildir, keeps to the quota, and says in few words why a message cannot be taken. */

import type { HeldFolders } from "../../contracts/held_folders.ts";
import { MaildropUnavailableError, MaildropUnreadableError } from "../../contracts/mail_store.ts";
import type { UserRecord } from "../../contracts/user_record.ts";
import { fileErrorNumber, fileErrorReason, isFileError } from "../../files/file_error.ts";
import { FolderProbe } from "../folder_probe.ts";
import type { Mailbox } from "../folder/mailbox.ts";
import type { MailboxPlace } from "../naming/mailbox_path.ts";
import { MailboxPlaces, type MailboxPlacesOptions } from "../places/mailbox_places.ts";
import { DeliveryNames } from "./delivery_name.ts";
import { IncomingMessage } from "./incoming_message.ts";
import { mailboxUse } from "./maildir_size.ts";

/** Numbers of errors that say that a disk, or an account's share of it, is full. */
const FULL: ReadonlySet<number> = new Set([28, 122]);
const NO_PERMISSION: ReadonlySet<number> = new Set([1, 13, 30]);

/** Why a message cannot be delivered. */
export type DeliveryTrouble =
  /** Until somebody changes permissions or settings. */
  | "permission"
  /** The user's quota is reached. */
  | "over-quota"
  /** It is bigger than the whole quota. */
  | "too-big"
  | "disk-full"
  | "disk"
  /** The file server does not answer, or the like. */
  | "temporary";

/** A message that cannot be delivered; the text is for the log. */
export class DeliveryError extends Error {
  override name = "DeliveryError";
  readonly trouble: DeliveryTrouble;

  constructor(trouble: DeliveryTrouble, message: string, options?: ErrorOptions) {
    super(message, options);
    this.trouble = trouble;
  }
}

/** Says what kind of trouble an error is; passes on what is none of files. */
export function deliveryError(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  const options = { cause: error };
  if (error instanceof MaildropUnreadableError) {
    return new DeliveryError("permission", error.message, options);
  }
  if (error instanceof MaildropUnavailableError) {
    return new DeliveryError("temporary", error.message, options);
  }
  if (!isFileError(error)) {
    const text = error instanceof Error ? error.message : String(error);
    return new DeliveryError("temporary", text, options);
  }
  const number = fileErrorNumber(error) ?? 0;
  const trouble = FULL.has(number)
    ? "disk-full"
    : NO_PERMISSION.has(number)
    ? "permission"
    : "disk";
  return new DeliveryError(trouble, fileErrorReason(error), options);
}

/** What deliveries work with. */
export interface MailboxDeliveryOptions extends MailboxPlacesOptions {
  readonly held: HeldFolders;
  readonly hostName: string;
  readonly pid: number;
  /** Octets that a mailbox may hold where the user's record says nothing else; 0 for any number. */
  readonly quota: number;
}

/** Delivers into mailboxes. */
export class MailboxDelivery {
  readonly #options: MailboxDeliveryOptions;
  readonly #places: MailboxPlaces;
  readonly #names: DeliveryNames;

  constructor(options: MailboxDeliveryOptions) {
    this.#options = options;
    this.#places = new MailboxPlaces(options, new FolderProbe());
    this.#names = new DeliveryNames(options);
  }

  /** Whether a user's mailbox is there. @throws {DeliveryError} */
  async exists(user: string, record: UserRecord | undefined): Promise<boolean> {
    try {
      await this.#places.answers(user, record);
      const place = this.#places.of(user, record);
      return place !== undefined && this.#places.find(place) !== undefined;
    } catch (error) {
      throw deliveryError(error);
    }
  }

  /**
   * Makes sure that a message may come.
   *
   * @param size octets that it is said to have
   * @throws {DeliveryError} when it may not
   */
  async check(user: string, record: UserRecord | undefined, size = 0): Promise<void> {
    try {
      await this.#places.answers(user, record);
      this.#room(this.#mailbox(user, record), record, size);
    } catch (error) {
      throw deliveryError(error);
    }
  }

  /** Opens a message for a user. @throws {DeliveryError} */
  async open(user: string, record: UserRecord | undefined): Promise<IncomingMessage> {
    try {
      await this.#places.answers(user, record);
      const mailbox = this.#mailbox(user, record);
      const { mode } = Deno.lstatSync(mailbox.path);
      return await IncomingMessage.open({
        mailbox,
        name: this.#names.next(),
        held: this.#options.held,
        owner: this.#ownerOf(mailbox),
        mode: ((mode ?? 0) & 0o666) | 0o600,
      });
    } catch (error) {
      throw deliveryError(error);
    }
  }

  /** Delivers a message that was written whole. @returns its file's name @throws {DeliveryError} */
  async deliver(
    user: string,
    record: UserRecord | undefined,
    message: IncomingMessage,
  ): Promise<string> {
    try {
      this.#room(this.#mailbox(user, record), record, message.size);
      return await message.deliver();
    } catch (error) {
      throw deliveryError(error);
    }
  }

  #room(mailbox: Mailbox, record: UserRecord | undefined, size: number): void {
    const quota = record?.quota ?? this.#options.quota;
    if (quota === 0) return;
    if (size > quota) {
      throw new DeliveryError("too-big", `${size} octets are more than the quota of ${quota}`);
    }
    const use = mailboxUse(mailbox.path, quota, this.#ownerOf(mailbox));
    if (use.octets + Math.max(1, size) <= quota) return;
    throw new DeliveryError("over-quota", `${use.octets} of ${quota} octets are used`);
  }

  #mailbox(user: string, record: UserRecord | undefined): Mailbox {
    const place = this.#places.of(user, record);
    if (place === undefined) {
      throw new MaildropUnreadableError(`No mailbox can be named ${user}`);
    }
    const found = this.#places.find(place);
    if (found?.layout === "maildir" && isFolder(`${found.path}/tmp`) && found.folders.size === 2) {
      return found;
    }
    // Mail in a mailbox that takes the place of one that was moved away would be lost when that is put back.
    if (found === undefined) this.#places.served.checkNew(user);
    return this.#complete(place, found);
  }

  /** Makes a Maildir of what is none yet; a plain folder with files stays what it is. */
  #complete(place: MailboxPlace, found: Mailbox | undefined): Mailbox {
    if (found?.layout === "plain" && [...Deno.readDirSync(place.path)].length > 0) {
      throw new MaildropUnreadableError(
        `${place.path} is a plain folder: mail is delivered into Maildirs. Make cur, new and tmp in it.`,
      );
    }
    this.#places.create(place);
    const made = this.#places.find(place);
    if (made === undefined) throw new MaildropUnavailableError(`${place.path} was taken away`);
    return made;
  }

  #ownerOf(mailbox: Mailbox): { uid: number; gid: number } | undefined {
    const { account, ids = "own" } = this.#options;
    if (ids === "own") return undefined;
    if (ids !== "keep") return ids;
    const { uid, gid } = Deno.lstatSync(mailbox.path);
    return uid === null || gid === null || uid === account ? undefined : { uid, gid };
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch (error) {
    if (isFileError(error)) return false;
    throw error;
  }
}
