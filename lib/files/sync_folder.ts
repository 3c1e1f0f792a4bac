/** Brings files and folders to the disk, so that what was done outlives a power cut. */

import { fileErrorNumber } from "./file_error.ts";

const EINVAL = 22;

/**
 * Syncs a file.
 *
 * @throws {Error} when it cannot be opened or the disk fails
 */
export function syncFile(path: string): void {
  using file = Deno.openSync(path, { read: true, write: true });
  file.syncSync();
}

/**
 * Syncs a folder: the names that were made, removed or changed in it. Where the file system cannot, that is no error.
 *
 * @throws {Error} when it cannot be opened or the disk fails
 */
export function syncFolder(path: string): void {
  using folder = Deno.openSync(path);
  try {
    folder.syncSync();
  } catch (error) {
    if (fileErrorNumber(error) !== EINVAL) throw error;
  }
}
