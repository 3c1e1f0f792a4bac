/** Says what kept a mailbox from being opened, for an operator. */

import { MaildropUnavailableError } from "../contracts/mail_store.ts";
import type { Mailbox } from "./folder/mailbox.ts";
import { MessageTooBigError } from "./message/measure_file.ts";

/**
 * Makes the error that a login ends with.
 *
 * @param measureTimeout milliseconds that messages may be measured
 * @returns `error` itself where it says enough
 */
export function openingError(mailbox: Mailbox, error: unknown, measureTimeout: number): unknown {
  if (error instanceof MessageTooBigError) {
    return new MaildropUnavailableError(`${mailbox.path}: ${error.message}`, { cause: error });
  }
  if (!(error instanceof DOMException) || error.name !== "TimeoutError") return error;
  const seconds = Math.round(measureTimeout / 1000);
  return new MaildropUnavailableError(
    `The messages of ${mailbox.path} could not be measured within ${seconds} seconds. The next login continues.`,
    { cause: error },
  );
}
