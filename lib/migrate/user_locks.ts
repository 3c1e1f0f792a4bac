/** Takes users' locks for an import: of the server that serves the mailboxes, or by keeping any from starting. */

import { canonicalName, type NameRules } from "../bytes/canonical_name.ts";
import { LentLocks } from "../locks/lock_port.ts";
import { MailFolderLocks } from "../mail/mail_folder_lock.ts";
import { StartError } from "../net/start_error.ts";

/** Another server serves the mail folder, of which no lock can be had; the message says so. */
export class NoLocksError extends Error {
  override name = "NoLocksError";
}

/** Users' locks. Disposing gives back what is held. */
export interface UserLocks extends Disposable {
  /** Gives back the lock that was taken before, and takes a user's. Returns false when a session holds it. */
  take(user: string): Promise<boolean>;
}

/** Whose locks. */
export interface UserLocksOptions {
  /** The mail folder. */
  readonly root: string;
  /** The state file of the server, if it runs. */
  readonly state: string;
  readonly rules: NameRules;
}

/**
 * Finds out who keeps the locks.
 *
 * @throws {NoLocksError} when a server with another state file serves the mail folder
 */
export async function openUserLocks(options: UserLocksOptions): Promise<UserLocks> {
  const { root, state, rules } = options;
  const lent = await LentLocks.connect(state);
  if (lent !== undefined) {
    return {
      take: (user) => lent.take(canonicalName(user, rules)),
      [Symbol.dispose]: () => lent[Symbol.dispose](),
    };
  }
  try {
    const whole = await new MailFolderLocks().take(await Deno.realPath(root));
    return { take: () => Promise.resolve(true), [Symbol.dispose]: () => whole[Symbol.dispose]() };
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new NoLocksError(
      `A Postern serves ${root}, and ${state} is not its state file: name that one with --state, or stop the server.`,
      { cause: error },
    );
  }
}
