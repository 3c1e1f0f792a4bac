/** A mailbox as its next login would show it, found out without touching it. */

import type { YieldingTask } from "../async/yielder.ts";
import type { RunningTime } from "../async/running_time.ts";
import { mostRows, readCache } from "../mail/folder/cache_file.ts";
import { lookAtName } from "../mail/folder/file_look.ts";
import { findMailbox, type Mailbox } from "../mail/folder/mailbox.ts";
import { Folder, type MessageIndex } from "../mail/folder/message_index.ts";
import { listMailbox } from "../mail/listing/listing.ts";
import { reconcile } from "../mail/listing/reconcile.ts";
import {
  type MailboxPathOptions,
  type MailboxPlace,
  mailboxPlace,
} from "../mail/naming/mailbox_path.ts";
import { canonicalName, type NameRules } from "../bytes/canonical_name.ts";
import type { UserRecord } from "../contracts/user_record.ts";
import { nameMessages } from "../mail/naming/name_messages.ts";
import { MaildropUnreadableError } from "../contracts/mail_store.ts";
import { isFileError, isNotFound } from "../files/file_error.ts";
import { readUidlFile } from "../mail/uidl/uidl_files.ts";
import type { KeptLine } from "../mail/uidl/uidl_lines.ts";

/** Where mailboxes lie, and who asks. */
export interface MailPlace extends MailboxPathOptions {
  /** The user id that the program runs under. */
  readonly account: number;
  /** How names are read. */
  readonly rules: NameRules;
  /** What is known of users, by their canonical names. */
  readonly records: ReadonlyMap<string, UserRecord | undefined>;
}

/** A mailbox's files and lines. */
export interface OpenIds {
  readonly mailbox: Mailbox;
  readonly index: MessageIndex;
  /** What its `.postern-uidl` tells; undefined where there is none. */
  readonly lines: readonly KeptLine[] | undefined;
}

/** A message and its id. */
export interface NamedRow {
  readonly row: number;
  readonly id: string;
}

/** What a cache's times are reckoned by: here they do not matter. */
const NO_TIME: RunningTime = { id: "0".repeat(16), now: () => 0 };

/** Work of a command shares its thread with nobody. */
export const ALONE: YieldingTask = { due: () => false, pause: () => Promise.resolve() };

/**
 * Finds a user's mailbox, as a login does.
 *
 * @returns undefined when there is none, or the name can be no user's
 * @throws {MaildropUnreadableError} when there is something that cannot be used as one
 */
export function findUserMailbox(user: string, place: MailPlace): Mailbox | undefined {
  const found = placeOf(user, place);
  return found && findMailbox(found.path, { root: found.root, account: place.account });
}

/** Where a user's mailbox lies, whether it is there or not; undefined for a name that can be no user's. */
export function placeOf(user: string, place: MailPlace): MailboxPlace | undefined {
  const name = canonicalName(user, place.rules);
  return mailboxPlace(name, place.records.get(name), place);
}

/**
 * Lists a mailbox's files, with what its cache knows of them, and reads its lines.
 *
 * @throws {MaildropUnreadableError} when it cannot be read, or its lines are damaged
 */
export async function openIds(mailbox: Mailbox, { account }: MailPlace): Promise<OpenIds> {
  const listing = await listMailbox(mailbox, ALONE);
  const rows = listing.names.length;
  const cached = await readCache(mailbox, NO_TIME, mostRows(rows), ALONE);
  const known = typeof cached === "object" &&
      cached.contents.messageIndex.folders.every((folder) => mailbox.folders.has(folder as Folder))
    ? cached.contents.messageIndex
    : undefined;
  const { messageIndex: index } = await reconcile(mailbox, listing, known, ALONE);
  if (mailbox.layout === "plain") lookAtEach(mailbox, index);
  const found = await readUidlFile(mailbox, { account, rows, task: ALONE });
  return { mailbox, index, lines: found?.lines };
}

/** In a plain folder, a file's size and time belong to what it is known by. */
function lookAtEach({ path }: Mailbox, index: MessageIndex): void {
  for (let row = 0; row < index.length; row++) {
    try {
      const { size, modified } = lookAtName(`${path}/${index.names.at(row)}`);
      index.storedSize[row] = size;
      index.modified[row] = modified;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** Where a row's file lies. */
export function pathOf({ mailbox, index }: OpenIds, row: number): string {
  return `${mailbox.folders.get(index.folders[row] as Folder)!.path}/${index.names.at(row)}`;
}

/**
 * Names all messages as a login would that found these lines.
 *
 * @param lines undefined for a mailbox without the file
 * @returns messages in the order of their numbers, and the lines as they should stand in the file
 */
export async function nameAll(
  { mailbox, index }: OpenIds,
  lines: readonly KeptLine[] | undefined,
): Promise<{ messages: readonly NamedRow[]; lines: readonly KeptLine[] }> {
  const rows = Uint32Array.from({ length: index.length }, (_, row) => row);
  const names = lines && {
    lines,
    now: Math.floor(Date.now() / 1000),
    shown: () => {},
  };
  const { messages, kept } = await nameMessages(mailbox, index, rows, ALONE, names);
  return {
    messages: messages.map(({ row, uid }) => ({ row, id: uid })),
    lines: kept?.lines ?? [],
  };
}

/**
 * Finds the users who have a mailbox: those who are known, and where no template says otherwise, by the mail folder: `<user>` and
 * `<domain>/<name>`.
 *
 * @throws {Error} when the mail folder cannot be read
 */
export function* usersWithMailbox(place: MailPlace): Generator<string> {
  const told = new Set<string>();
  if (place.template === undefined) {
    for (const [user, path] of usersByFolder(place)) {
      const name = canonicalName(user, place.rules);
      if (told.has(name) || !isAt(name, path, place)) continue;
      told.add(name);
      yield name;
    }
  }
  for (const name of place.records.keys()) {
    if (!told.has(name) && isThere(name, place)) yield name;
  }
}

/** Whether a folder is where a user's mailbox lies; what is wrong with the place is told when it is worked on. */
function isAt(name: string, path: string, place: MailPlace): boolean {
  try {
    return placeOf(name, place)?.path === path;
  } catch (error) {
    if (error instanceof MaildropUnreadableError) return true;
    throw error;
  }
}

/** Whoever has no mailbox yet has nothing to import; what else is wrong is told with the mailbox. */
function isThere(name: string, place: MailPlace): boolean {
  try {
    return findUserMailbox(name, place) !== undefined;
  } catch (error) {
    if (error instanceof MaildropUnreadableError || isFileError(error)) return true;
    throw error;
  }
}

function* usersByFolder({ root }: MailPlace): Generator<[user: string, path: string]> {
  for (const name of foldersIn(root)) {
    const path = `${root}/${name}`;
    const below = isMaildir(path) || name.includes("@") ? [] : foldersIn(path);
    if (below.length === 0) yield [name, path];
    for (const local of below) yield [`${local}@${name}`, `${path}/${local}`];
  }
}

function foldersIn(path: string): string[] {
  return [...Deno.readDirSync(path)]
    .filter(({ name, isDirectory }) => isDirectory && !name.startsWith("."))
    .map(({ name }) => name).sort();
}

function isMaildir(path: string): boolean {
  return ["cur", "new"].some((name) => {
    try {
      return Deno.lstatSync(`${path}/${name}`).isDirectory;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  });
}
