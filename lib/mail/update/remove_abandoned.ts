/** Removes what deliveries left unfinished in a Maildir's `tmp/`, after 36 hours, as Maildir's rules say. */

import type { HeldFolders } from "../../contracts/held_folders.ts";
import { isNotFound } from "../../files/file_error.ts";
import { stampOf } from "../folder/folder_stamp.ts";
import { lookOfInfo } from "../folder/file_look.ts";
import type { Mailbox } from "../folder/mailbox.ts";
import { Folder } from "../folder/message_index.ts";
import { type HeldFile, HeldMailbox, partsOf } from "../held/held_mailbox.ts";

/** "Safely delete": the manual of Maildir (maildir(5)) has readers remove files of tmp/ that nobody accessed for so long. */
const ABANDONED_MS = 36 * 60 * 60 * 1000;

/**
 * Removes them. Other programs' clocks and ours tell the age, so it goes by the wall clock.
 *
 * @param mailbox one without `tmp/`, or a plain folder, has none
 * @param held works in mailboxes that others than the server can write in
 * @param now milliseconds since 1970
 * @returns how many went
 * @throws {Error} of the file system, when the folder cannot be listed or held
 */
export async function removeAbandoned(
  mailbox: Mailbox,
  held: HeldFolders,
  now: number,
): Promise<number> {
  const path = `${mailbox.path}/tmp`;
  const info = mailbox.layout === "maildir" ? await lookAt(path) : undefined;
  if (!info?.isDirectory) return 0;
  const old = await oldFiles(path, now - ABANDONED_MS);
  if (old.length === 0) return 0;
  if (mailbox.writers === "server") return await removeByName(path, old);
  // Somebody else may put a link in the folder's place at any moment.
  const state = { path, stamp: stampOf(info), size: info.size };
  const folders = new HeldMailbox({ ...mailbox, folders: new Map([[Folder.NEW, state]]) }, held);
  let removed = 0;
  for (const part of partsOf(old)) {
    const { answers } = await folders.unlink(part);
    removed += answers.filter(({ kind }) => kind === "done").length;
  }
  return removed;
}

/** Regular files that nobody wrote or read since. */
async function oldFiles(path: string, before: number): Promise<HeldFile[]> {
  const found: HeldFile[] = [];
  for await (const { name, isFile } of Deno.readDir(path)) {
    const info = isFile ? await lookAt(`${path}/${name}`) : undefined;
    if (!info?.isFile) continue;
    // A file system that tells no time has no old files.
    const used = Math.max(info.mtime?.getTime() ?? Infinity, info.atime?.getTime() ?? 0);
    if (used <= before) found.push({ folder: Folder.NEW, name, look: lookOfInfo(info) });
  }
  return found;
}

async function removeByName(path: string, files: readonly HeldFile[]): Promise<number> {
  let removed = 0;
  for (const { name } of files) {
    try {
      await Deno.remove(`${path}/${name}`);
      removed++;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return removed;
}

async function lookAt(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
