/** Remembers whose mailboxes were served, so that one which was moved away, or is not mounted, is never shown as an empty one. */

import type { Installation } from "../../contracts/state_store.ts";
import { MaildropUnavailableError } from "../../contracts/mail_store.ts";
import { fileErrorReason, isFileError, isNotFound } from "../../files/file_error.ts";
import { logger } from "../../log/logging.ts";
import { unreadable } from "../folder/mailbox.ts";

const log = logger("mail");

/**
 * The folder in the mail folder that holds an empty file for each user who was served, named like the user. Hidden, so that no user can be
 * called so.
 */
const NOTES = ".postern-mailboxes";

/** Users of whom it is remembered that they have a note; when there are more, all are forgotten. */
const MOST_REMEMBERED = 20_000;

/** Where it is kept which mail folders were served. */
export type ServedFolders = Pick<Installation, "mailFolders" | "keepMailFolder">;

/**
 * Makes the folder of notes in a mail folder that is served for the first time. In one that was served before it is there, or the folder's file
 * system is not mounted.
 *
 * @param folder a path without symbolic links
 * @param served undefined where nothing is kept from one start to the next
 * @throws {StateStoreError} when the state cannot be read or written
 */
export async function prepareNotes(folder: string, served?: ServedFolders): Promise<void> {
  const path = `${folder}/${NOTES}`;
  const wasServed = (await served?.mailFolders())?.has(folder) ?? false;
  try {
    if (!isFolder(path)) {
      if (wasServed) return warnMissing(folder);
      Deno.mkdirSync(path, { mode: 0o700 });
    }
  } catch (error) {
    if (!isFileError(error)) throw error;
    log.warn(
      "Cannot create {path}: users who have no mailbox yet cannot log in. Let the server's user write in {folder}: {reason}",
      { path, folder, reason: fileErrorReason(error) },
    );
    return;
  }
  if (!wasServed) await served?.keepMailFolder(folder);
}

function warnMissing(folder: string): void {
  log.warn(
    "{folder} was served before, but {path} is not there: it may not be mounted. Users whose mailboxes are missing cannot log in " +
      "until it is. If the folder is as it should be, run: mkdir -m 700 {path}",
    { folder, path: `${folder}/${NOTES}` },
  );
}

/** Settings of {@linkcode ServedMailboxes}. */
export interface ServedMailboxesOptions {
  /** The mail folder. */
  readonly root: string;
  /** The domain of users who log in without one. */
  readonly defaultDomain?: string;
  /** Whether no server need have prepared the mail folder: without notes it may be a new one. @default false */
  readonly unprepared?: boolean;
  readonly warn: (message: string, properties?: Record<string, unknown>) => void;
}

/** Whose mailboxes were served in one mail folder. */
export class ServedMailboxes {
  readonly #options: ServedMailboxesOptions;
  readonly #notes: string;
  readonly #noted = new Set<string>();
  #hasFailed = false;

  constructor(options: ServedMailboxesOptions) {
    this.#options = options;
    this.#notes = `${options.root.replace(/(?<=.)\/+$/, "")}/${NOTES}`;
  }

  /** Notes that a user has a mailbox. Costs nothing where this thread knows of it; where it cannot be noted, it is warned of once. */
  note(user: string): void {
    if (this.#noted.has(user)) return;
    const path = `${this.#notes}/${this.#nameOf(user)}`;
    try {
      if (!exists(path)) {
        if (!this.#isThere()) return;
        Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
      }
    } catch (error) {
      if (!isFileError(error)) throw error;
      // Another session of the user may have been quicker.
      if (!(error instanceof Deno.errors.AlreadyExists)) {
        return this.#failed(fileErrorReason(error));
      }
    }
    if (this.#noted.size >= MOST_REMEMBERED) this.#noted.clear();
    this.#noted.add(user);
  }

  /**
   * Makes sure that a user who has no mailbox never had one, before an empty one is made.
   *
   * @throws {MaildropUnavailableError} when there was one, or the mail folder may not be mounted
   * @throws {MaildropUnreadableError} when that may not be found out
   */
  checkNew(user: string): void {
    const { root } = this.#options;
    this.#noted.delete(user);
    this.checkMounted();
    // Who was served before --default-domain was given has a note without a domain.
    for (const name of new Set([this.#nameOf(user), user])) {
      const note = `${this.#notes}/${name}`;
      if (!look(note)) continue;
      throw new MaildropUnavailableError(
        `The mailbox of ${name} was served before and is not in ${root} any more. Put it back, mount it or, to begin with an empty ` +
          `one, remove ${note}.`,
      );
    }
  }

  /**
   * Makes sure that the mail folder is the one that was prepared, and no empty mount point.
   *
   * @throws {MaildropUnavailableError} when it may not be
   * @throws {MaildropUnreadableError} when that may not be found out
   */
  checkMounted(): void {
    if (look(this.#notes)) return;
    const { root, unprepared = false } = this.#options;
    const isRoot = look(root);
    if (unprepared && isRoot) return;
    throw new MaildropUnavailableError(
      isRoot
        ? `${this.#notes} is not there, so ${root} may not be mounted, and no mailbox is made in it. Mount it or, if it is as it should ` +
          `be, run: mkdir -m 700 ${this.#notes}`
        : `The mail folder ${root} is not there. Mount it, or put it back.`,
    );
  }

  #nameOf(user: string): string {
    const { defaultDomain } = this.#options;
    return defaultDomain === undefined || user.includes("@") ? user : `${user}@${defaultDomain}`;
  }

  /** Whether notes can be taken: no link may lead them elsewhere. */
  #isThere(): boolean {
    if (isFolder(this.#notes)) return true;
    this.#failed("it is no folder");
    return false;
  }

  #failed(reason: string): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.warn(
      "It cannot be noted which users have mailboxes: one that is moved away will look like an empty one.",
      { folder: this.#notes, reason },
    );
  }
}

/** Whether something has this name, links not followed. */
function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** The same for logins. @throws {MaildropUnavailableError} or {MaildropUnreadableError} */
function look(path: string): boolean {
  try {
    return exists(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function isFolder(path: string): boolean {
  return exists(path) && Deno.lstatSync(path).isDirectory;
}
