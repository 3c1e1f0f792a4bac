/** Where a user's mailbox lies below the mail folder. */

import { refuseUserName } from "../../bytes/user_name.ts";
import { MaildropUnreadableError } from "../../contracts/mail_store.ts";

/** Settings of {@linkcode mailboxPath}. */
export interface MailboxPathOptions {
  /** The mail folder. It may itself be a symbolic link; nothing below it may. */
  readonly root: string;
  /** The domain that a name without `@` belongs to. */
  readonly defaultDomain?: string;
}

/**
 * Says where a user's mailbox lies, whether it is there or not: `<root>/<user>`; for `name@domain`, `<root>/<domain>/<name>`
 * where the folder `<domain>` exists and is no mailbox itself, else `<root>/<name@domain>`.
 *
 * @param user as logged in
 * @returns undefined for a name that can be no user's; a path that is made never leaves the mail folder
 * @throws {MaildropUnreadableError} when the domain's folder is a link: it may lead anywhere, and a mailbox beside it would be an empty one
 */
export function mailboxPath(user: string, options: MailboxPathOptions): string | undefined {
  const name = options.defaultDomain !== undefined && !user.includes("@")
    ? `${user}@${options.defaultDomain}`
    : user;
  if (refuseUserName(user) !== undefined || refuseUserName(name, Infinity) !== undefined) {
    return undefined;
  }
  const root = options.root.replace(/(?<=.)\/+$/, "");
  const [local, domain] = name.split("@") as [string, string?];
  if (domain !== undefined && isDomain(`${root}/${domain}`)) return `${root}/${domain}/${local}`;
  return `${root}/${name}`;
}

/** A folder that is no mailbox: one that holds `cur/` or `new/` is somebody's mail. */
function isDomain(path: string): boolean {
  const info = look(path);
  if (info?.isSymlink) {
    throw new MaildropUnreadableError(
      `${path} is a symbolic link, which is not followed. Put the domain's folder itself there, or mount it there (mount --bind).`,
    );
  }
  return (info?.isDirectory ?? false) && !exists(`${path}/cur`) && !exists(`${path}/new`);
}

function exists(path: string): boolean {
  return look(path) !== undefined;
}

/** What a name stands for, links not followed; undefined only when there is nothing. */
function look(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}
