/** Remembers of which folders something was found out: as long as they look the same, they hold the same, and need not be asked again. */

import {
  type FolderStamp,
  isOnBlockDevice,
  isSettled,
  looksUnchanged,
} from "../folder/folder_stamp.ts";
import type { FolderState, Mailbox } from "../folder/mailbox.ts";

/** Folders that are remembered; when there are more, all are forgotten. */
const MOST = 20_000;

/** Folders of which one thing was found out. */
export class UnchangedFolders {
  readonly #stamps = new Map<string, FolderStamp>();

  /** Whether it is true of a folder without doubt. */
  has({ path, stamp }: FolderState): boolean {
    const before = this.#stamps.get(path);
    return before !== undefined && before.device === stamp.device && looksUnchanged(stamp, before);
  }

  /** Whether it is true of all folders of a mailbox. */
  hasAll({ folders }: Pick<Mailbox, "folders">): boolean {
    return folders.values().every((state) => this.has(state));
  }

  /** Takes a folder of which it was found to be true. @param at milliseconds since 1970, before it was asked */
  add(state: FolderState, at: number): void {
    if (!canBeRemembered(state, at)) return;
    if (this.#stamps.size >= MOST) this.#stamps.clear();
    this.#stamps.set(state.path, state.stamp);
  }
}

/**
 * Whether a change of a folder after `at` must show in its look. A disk of this machine tells its times by the same clock; of others nothing is
 * remembered.
 */
export function canBeRemembered({ stamp }: FolderState, at: number): boolean {
  return isOnBlockDevice(stamp.device) && isSettled(stamp, at);
}
