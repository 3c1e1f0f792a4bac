/** Remembers which folders were empty: most mailboxes hold nothing new at most polls, and listing a folder takes longer than looking at it. */

import {
  type FolderStamp,
  isOnBlockDevice,
  isSettled,
  looksUnchanged,
} from "../folder/folder_stamp.ts";
import type { FolderState, Mailbox } from "../folder/mailbox.ts";

/** Folders that are remembered; when there are more, all are forgotten. */
const MOST = 20_000;

/** Folders that were empty when they looked as they still do. */
export class EmptyFolders {
  readonly #stamps = new Map<string, FolderStamp>();

  /** Whether a mailbox holds no messages without doubt. */
  hasAll({ folders }: Mailbox): boolean {
    return folders.values().every((state) => this.has(state));
  }

  /** Whether a folder is empty without doubt. */
  has({ path, stamp }: FolderState): boolean {
    const before = this.#stamps.get(path);
    return before !== undefined && before.device === stamp.device && looksUnchanged(stamp, before);
  }

  /**
   * Takes a folder that was listed and had no names.
   *
   * @param at milliseconds since 1970 before the listing. A disk of this machine tells its times by the same clock; of others nothing is remembered
   */
  add({ path, stamp }: FolderState, at: number): void {
    if (!isOnBlockDevice(stamp.device) || !isSettled(stamp, at)) return;
    if (this.#stamps.size >= MOST) this.#stamps.clear();
    this.#stamps.set(path, stamp);
  }
}
