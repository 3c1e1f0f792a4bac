/** Where a user's mailbox lies: below the mail folder, or below a folder of homes. */

import { refuseFolder } from "../../bytes/folder_name.ts";
import { quote } from "../../bytes/quote.ts";
import { refuseUserName } from "../../bytes/user_name.ts";
import { MaildropUnreadableError } from "../../contracts/mail_store.ts";
import type { UserRecord } from "../../contracts/user_record.ts";
import { expandPlace, PlaceError, type PlaceTemplate, readPlace } from "./place_template.ts";

/** A folder below which mailboxes may lie. */
export interface MailRoot {
  /** As it was named; absolute. Homes are written down so. */
  readonly given: string;
  /** The same without symbolic links. */
  readonly real: string;
}

/** Settings of {@linkcode mailboxPath}. */
export interface MailboxPathOptions {
  /** The mail folder. It may itself be a symbolic link; nothing below it may. */
  readonly root: string;
  /** The mail folder as it was named; absolute. @default {root} */
  readonly given?: string;
  /** Other folders below which mailboxes may lie (`--homes`). */
  readonly homes?: readonly MailRoot[];
  /** The domain that a name without `@` belongs to. */
  readonly defaultDomain?: string;
  /** Where mailboxes lie (`--mailbox`). @default as {@linkcode mailboxPath} says */
  readonly template?: PlaceTemplate | undefined;
}

/** Where a mailbox lies. */
export interface MailboxPlace {
  /** Below `root`, and without a step that leads elsewhere. */
  readonly path: string;
  /** The mail folder, or the folder of homes. */
  readonly root: string;
  /** The folder above which nothing is made: a home must be there. */
  readonly base: string;
}

/**
 * Says where a user's mailbox lies, whether it is there or not: where the user's record says, or `--mailbox`, or as {@linkcode mailboxPath}.
 *
 * @returns undefined for a name that can be no user's
 * @throws {MaildropUnreadableError} when the place cannot take the name, lies outside, or leads through a link
 */
export function mailboxPlace(
  user: string,
  record: UserRecord | undefined,
  options: MailboxPathOptions,
): MailboxPlace | undefined {
  const inbox = inboxPlace(user, record, options);
  const folder = record?.folder;
  if (inbox === undefined || folder === undefined) return inbox;
  const refusal = refuseFolder(folder);
  const path = `${inbox.path}/.${folder}`;
  // Only one that is there is opened, and none is made: a name that is mistyped must not look like an empty folder.
  if (refusal === undefined && look(path)?.isDirectory) return { ...inbox, path };
  throw new MaildropUnreadableError(
    `The mailbox of ${user} has no folder ${quote(folder)}${
      refusal === undefined ? "" : `: ${refusal}`
    }`,
  );
}

/** The same of the inbox. */
function inboxPlace(
  user: string,
  record: UserRecord | undefined,
  options: MailboxPathOptions,
): MailboxPlace | undefined {
  const root = trimmed(options.root);
  const template = record?.mailbox === undefined ? options.template : placeOf(user, record.mailbox);
  if (template === undefined) {
    const path = mailboxPath(user, options);
    return path === undefined ? undefined : { path, root, base: root };
  }
  if (refuseUserName(user) !== undefined) return undefined;
  const [local, domain = options.defaultDomain ?? ""] = user.split("@") as [string, string?];
  const owner = { user, local, domain, home: record?.home };
  try {
    if (template.inbox !== undefined) {
      const inbox = below(expandPlace(template.inbox, template.text, owner), options);
      if (look(inbox.path)?.isDirectory) return inbox;
    }
    return below(expandPlace(template.path, template.text, owner), options);
  } catch (error) {
    if (error instanceof PlaceError) throw new MaildropUnreadableError(error.message);
    throw error;
  }
}

function placeOf(user: string, text: string): PlaceTemplate {
  try {
    return readPlace(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new MaildropUnreadableError(`The mailbox place of ${user} is wrong: ${error.message}`);
  }
}

/** Finds the root that a path lies below, and looks at each step from there on. */
function below(path: string, options: MailboxPathOptions): MailboxPlace {
  const root = trimmed(options.root);
  const roots = [{ given: options.given ?? root, real: root }, ...options.homes ?? []];
  const found = path.startsWith("/")
    ? roots.flatMap(({ given, real }) =>
      [given, real].filter((each) => path.startsWith(`${trimmed(each)}/`))
        .map((each) => ({ real: trimmed(real), steps: path.slice(trimmed(each).length + 1) }))
    ).sort((a, b) => a.steps.length - b.steps.length)[0]
    : { real: root, steps: path };
  if (found === undefined || found.steps === "") {
    throw new PlaceError(
      `The mailbox ${path} lies neither in the mail folder nor in a folder of --homes`,
    );
  }
  const { real, steps } = found;
  const words = steps.split("/");
  for (let at = 1; at < words.length; at++) {
    const step = `${real}/${words.slice(0, at).join("/")}`;
    const info = look(step);
    if (info === undefined) break;
    if (!info.isDirectory) throw new PlaceError(`${step} must be a folder, and no link to one`);
  }
  return {
    path: `${real}/${steps}`,
    root: real,
    base: real === root ? real : `${real}/${words.slice(0, -1).join("/")}`,
  };
}

function trimmed(path: string): string {
  return path.replace(/(?<=.)\/+$/, "");
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
  const root = trimmed(options.root);
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
