/** What the system tells of a file, as far as it tells one file from another. */

import type { Stats } from "node:fs";

/** A file as it looked at some moment. Times are milliseconds since 1970. */
export interface FileLook {
  readonly isFile: boolean;
  readonly device: number;
  /** The file's number on its device. Another file can get it when this one is gone. */
  readonly inode: number;
  /** The user id of its owner. */
  readonly owner: number;
  /** Octets. */
  readonly size: number;
  /** When its content was written last; 0 where the file system does not tell. */
  readonly modified: number;
  /** When its content, name, owner or mode was changed last, a whole second; 0 where the file system does not tell. */
  readonly changed: number;
  /** When it was made, which nobody can set; 0 where the file system does not tell. */
  readonly born: number;
}

/**
 * Looks at what a name stands for; a link is not followed.
 *
 * @throws {Deno.errors.NotFound} and other errors of the file system
 */
export function lookAtName(path: string): FileLook {
  return lookOfInfo(Deno.lstatSync(path));
}

/** Makes a look of what the runtime tells of a file. */
export function lookOfInfo(info: Deno.FileInfo): FileLook {
  return {
    isFile: info.isFile,
    device: info.dev,
    inode: info.ino ?? 0,
    owner: info.uid ?? -1,
    size: info.size,
    modified: info.mtime?.getTime() ?? 0,
    changed: info.ctime?.getTime() ?? 0,
    born: info.birthtime?.getTime() ?? 0,
  };
}

/** Makes a look of what `node:fs` tells of an open file: the same figures as {@linkcode lookAtName}. */
export function lookOf(stats: Stats): FileLook {
  return {
    isFile: stats.isFile(),
    device: stats.dev,
    inode: stats.ino,
    owner: stats.uid,
    size: stats.size,
    modified: stats.mtimeMs ?? 0,
    changed: stats.ctimeMs ?? 0,
    born: stats.birthtimeMs ?? 0,
  };
}
