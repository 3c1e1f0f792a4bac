/** Writes imported ids into a mailbox so that they can be taken back, and takes them back. */

import { MaildropUnreadableError } from "../contracts/mail_store.ts";
import type { Mailbox } from "../mail/folder/mailbox.ts";
import {
  readOwn,
  removeIfThere,
  replaceFile,
  SHOWN_UNDO_FILE,
  UIDL_FILE,
  UNDO_FILE,
  writeUidlFile,
} from "../mail/uidl/uidl_files.ts";
import { DamagedLinesError, type KeptLine } from "../mail/uidl/uidl_lines.ts";
import { NotRegularError } from "../mail/folder/regular_file.ts";
import { syncFolder } from "../files/sync_folder.ts";
import { ALONE } from "./mailbox_ids.ts";
import { MOST_LIST_OCTETS } from "./id_list.ts";

/** The first line of what an undo puts back; the file as it was follows, if there was one. */
const HEADER = "postern-uidl-undo 1";

/** How an undo ended. */
export type UndoOutcome =
  | "undone"
  /** There was no import, or it was taken back already. */
  | "nothing"
  /** Clients may know the ids by now. */
  | "shown";

/**
 * Writes lines; what was there before is kept for an undo. The caller holds the user's lock.
 *
 * @throws {Error} when the mailbox cannot be written; it has its old ids or its new ones then, never a part of them
 */
export async function writeIds(
  mailbox: Mailbox,
  lines: readonly KeptLine[],
  account: number,
): Promise<void> {
  const before = await readQuietly(mailbox, UIDL_FILE, account);
  const header = new TextEncoder().encode(`${HEADER} ${before === undefined ? "none" : "file"}\n`);
  const parts = before === undefined ? [header] : [header, before];
  await replaceFile(mailbox, parts, { name: UNDO_FILE, alone: true, task: ALONE });
  removeIfThere(`${mailbox.path}/${SHOWN_UNDO_FILE}`);
  await writeUidlFile(mailbox, lines, { alone: true, task: ALONE });
}

/** Puts back what a mailbox had before the last import. The caller holds the user's lock. */
export async function undoIds(
  mailbox: Mailbox,
  account: number,
  force: boolean,
): Promise<UndoOutcome> {
  const fresh = await readQuietly(mailbox, UNDO_FILE, account);
  const shown = fresh === undefined
    ? await readQuietly(mailbox, SHOWN_UNDO_FILE, account)
    : undefined;
  const octets = fresh ?? shown;
  if (octets === undefined) return "nothing";
  if (shown !== undefined && !force) return "shown";
  const end = octets.indexOf(10);
  const header = new TextDecoder().decode(octets.subarray(0, Math.max(0, end)));
  if (header === `${HEADER} file`) {
    await replaceFile(mailbox, [octets.subarray(end + 1)], { alone: true, task: ALONE });
  } else if (header === `${HEADER} none`) removeIfThere(`${mailbox.path}/${UIDL_FILE}`);
  else throw damaged(mailbox, "it does not begin as it should");
  removeIfThere(`${mailbox.path}/${UNDO_FILE}`);
  removeIfThere(`${mailbox.path}/${SHOWN_UNDO_FILE}`);
  syncFolder(mailbox.path);
  return "undone";
}

async function readQuietly(
  mailbox: Mailbox,
  name: string,
  account: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const path = `${mailbox.path}/${name}`;
    return (await readOwn(mailbox, path, account, 2 * MOST_LIST_OCTETS, ALONE))?.octets;
  } catch (error) {
    if (!(error instanceof NotRegularError) && !(error instanceof DamagedLinesError)) throw error;
    throw damaged(mailbox, error.message);
  }
}

function damaged({ path }: Mailbox, why: string): MaildropUnreadableError {
  return new MaildropUnreadableError(`what ${path} had before the import cannot be used: ${why}`);
}
