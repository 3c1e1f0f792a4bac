/** Deleted messages, as administrators manage them. */

import type { UserRecords } from "../auth/user_records.ts";
import { ManagementError } from "../contracts/management.ts";
import type { DeletedMessage, TrashManagement, TrashSelection } from "../contracts/trash.ts";
import { MaildropUnavailableError, MaildropUnreadableError } from "../contracts/mail_store.ts";
import type { UserRecord } from "../contracts/user_record.ts";
import { fileErrorReason, isFileError } from "../files/file_error.ts";
import type { MailboxTrash } from "../mail/trash/mailbox_trash.ts";

/** What is done to deleted messages. */
export type TrashOfMailboxes = Pick<MailboxTrash, "list" | "restore" | "purge">;

/** What deleted messages are managed with. */
export interface RegisteredTrashOptions {
  readonly records: Pick<UserRecords, "find">;
  /** Of the settings in force. */
  readonly trash: () => TrashOfMailboxes;
}

/** Manages deleted messages. */
export class RegisteredTrash implements TrashManagement {
  readonly #options: RegisteredTrashOptions;

  constructor(options: RegisteredTrashOptions) {
    this.#options = options;
  }

  list(user: string): Promise<readonly DeletedMessage[] | undefined> {
    return this.#of(user, (trash, name, record) => trash.list(name, record));
  }

  restore(user: string, selection: TrashSelection): Promise<number | undefined> {
    return this.#of(user, (trash, name, record) => trash.restore(name, record, selection));
  }

  purge(user: string, selection: TrashSelection): Promise<number | undefined> {
    return this.#of(user, (trash, name, record) => trash.purge(name, record, selection));
  }

  async #of<T>(
    user: string,
    work: (trash: TrashOfMailboxes, name: string, record: UserRecord | undefined) => Promise<T>,
  ): Promise<T | undefined> {
    const { records, trash } = this.#options;
    const found = await records.find(user);
    if (found === undefined) return undefined;
    try {
      return await work(trash(), found.name, found.record);
    } catch (error) {
      const isTold = error instanceof MaildropUnreadableError ||
        error instanceof MaildropUnavailableError;
      if (!isTold && !isFileError(error)) throw error;
      const text = isTold ? error.message : `The mailbox cannot be used: ${fileErrorReason(error)}`;
      throw new ManagementError(text, { cause: error });
    }
  }
}
