/** Gives files whose names are not UTF-8 names that the runtime can tell, so that they are served like any other. */

import { HelperError, NoHelperError } from "../../contracts/held_folders.ts";
import { MaildropUnreadableError } from "../../contracts/mail_store.ts";
import { fileErrorReason, isFileError } from "../../files/file_error.ts";
import type { Mailbox } from "../folder/mailbox.ts";
import type { HeldMailbox } from "../held/held_mailbox.ts";

/**
 * Renames a Maildir's files, each within its folder. A plain folder may turn out to be somebody's own, in which nothing may be changed.
 *
 * @param warn told why none could be renamed; they are left out then
 * @returns whether any was
 */
export async function respell(
  mailbox: Mailbox,
  held: HeldMailbox,
  warn: (message: string, properties: Record<string, unknown>) => void,
): Promise<boolean> {
  if (mailbox.layout === "plain") return false;
  try {
    return await held.respell() > 0;
  } catch (error) {
    const isExpected = isFileError(error) || error instanceof NoHelperError ||
      error instanceof HelperError || error instanceof MaildropUnreadableError;
    if (!isExpected) throw error;
    warn("Files of a mailbox whose names are not UTF-8 could not be renamed.", {
      mailbox: mailbox.path,
      reason: fileErrorReason(error),
    });
    return false;
  }
}
