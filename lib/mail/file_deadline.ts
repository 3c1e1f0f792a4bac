/** Bounds how long asynchronous calls on a mailbox's files are waited for; a session must not wait for a dead file server. */

import { withProgress } from "../async/progress_limit.ts";
import { MaildropUnavailableError } from "../contracts/mail_store.ts";

/** Milliseconds without progress: more than a busy disk takes for one step, and less than mail programs wait. */
const TIME_LIMIT_MS = 15_000;

/**
 * Waits for calls on a file or folder.
 *
 * @param path for the error
 * @throws {MaildropUnavailableError} when they make no progress
 */
export function answering<T>(
  path: string,
  work: (progressed: () => void) => Promise<T>,
): Promise<T> {
  const late = (): Error =>
    new MaildropUnavailableError(`${path} does not answer: its disk or file server hangs.`);
  return withProgress(TIME_LIMIT_MS, late, work);
}
