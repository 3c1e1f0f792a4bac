/** The folders below which mailboxes may lie: the mail folder, and those of homes (`--homes`). */

import { resolve } from "node:path";
import type { SessionSettings } from "../../contracts/settings.ts";
import { fileErrorReason, isFileError } from "../../files/file_error.ts";
import type { MailRoot } from "../naming/mailbox_path.ts";

/** All of them. */
export interface MailRoots {
  readonly maildir: MailRoot;
  readonly homes: readonly MailRoot[];
}

/**
 * Finds them.
 *
 * @throws {Error} a sentence, when one is not there
 */
export function mailRoots(
  { maildir, homes }: Pick<SessionSettings, "maildir" | "homes">,
): MailRoots {
  return {
    maildir: rootOf(maildir, "mail folder"),
    homes: homes.map((each) => rootOf(each, "folder of --homes")),
  };
}

/** All of them, without links. */
export function realFolders({ maildir, homes }: MailRoots): [string, ...string[]] {
  return [maildir.real, ...homes.map(({ real }) => real)];
}

function rootOf(folder: string, what: string): MailRoot {
  const given = resolve(folder);
  try {
    return { given, real: Deno.realPathSync(given) };
  } catch (error) {
    if (!isFileError(error)) throw error;
    throw new Error(`The ${what} ${folder} cannot be used: ${fileErrorReason(error)}`, {
      cause: error,
    });
  }
}
