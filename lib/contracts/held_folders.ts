/** What works in folders in which others than the server can write: it holds them open, so that no exchanged name leads elsewhere. */

/** Carries out requests in mailboxes. */
export interface HeldFolders {
  /**
   * Carries out a request.
   *
   * @param request octets as lib/mail/held/held_mailbox.ts writes them
   * @param root the folder below which the mailbox lies; the mail folder where it is left out
   * @returns the answer's octets
   * @throws {NoHelperError} when nothing was done, since the program for it is missing
   * @throws {HelperError} when it is not known what was done
   */
  run(request: Uint8Array<ArrayBuffer>, root?: string): Promise<Uint8Array<ArrayBuffer>>;
}

/** The program that works in held folders failed, or did not answer in time; the message says why. */
export class HelperError extends Error {
  override name = "HelperError";
}

/** There is no program that can work in held folders; until somebody installs it, another try fares no better. */
export class NoHelperError extends Error {
  override name = "NoHelperError";
}
