/** How a folder looks: while it looks the same, and did so long enough before it was listed, it holds the same names. */

/**
 * How much older than a listing a folder's time must be for the listing to be believed later, in milliseconds: within one tick of the file
 * system's clock a name could have come without changing the time. Clocks that tell parts of a second tick every 10 ms or less.
 */
const SETTLED = 100;
/** The same where the time is a whole second, and the clock may tell nothing finer (2 s is the coarsest, FAT's). */
const SETTLED_COARSE = 2000;
/** The same for the time of the last change, of which the runtime tells whole seconds only: a second, and some ticks. */
const SETTLED_CHANGE = 1100;

/** How a folder looked. */
export interface FolderStamp {
  readonly device: number;
  readonly inode: number;
  /** When a name last came or went, milliseconds since 1970. Programs that copy folders set it back (`rsync -a`, `tar`, `cp -a`). */
  readonly modified: number;
  /** When a name last came or went, or the folder's time was set; nobody can set this one. */
  readonly changed: number;
}

/**
 * Looks at a folder as its file system knows it now.
 *
 * @param seen what `lstat` told
 * @throws {Deno.errors.NotFound} and other errors of the file system
 */
export function lookAgain(path: string, seen: Deno.FileInfo): Deno.FileInfo {
  if (isOnBlockDevice(seen.dev)) return seen;
  // Of a name, an NFS client tells news that is up to 30 s old; of an open folder it asks the server.
  using folder = Deno.openSync(path);
  const opened = folder.statSync();
  // A link that took the place in between leads elsewhere.
  return opened.dev === seen.dev && opened.ino === seen.ino ? opened : seen;
}

/**
 * Whether a device number is a disk's: its file system lies on this machine, and names tell the truth. Those without a disk (NFS, and some
 * local ones) have the major number 0. Opening each folder costs 20 µs more, a tenth of a poll.
 */
export function isOnBlockDevice(device: number): boolean {
  // Linux: the major number's lower 12 bits, above 8 bits of the minor number.
  return ((device >> 8) & 0xfff) !== 0;
}

/** What is kept of a look at a folder. */
export function stampOf({ dev, ino, mtime, ctime }: Deno.FileInfo): FolderStamp {
  return {
    device: dev,
    inode: ino ?? 0,
    modified: mtime?.getTime() ?? 0,
    changed: ctime?.getTime() ?? 0,
  };
}

/** Whether a folder looks as it did. Its device may have another number on another machine, or after a restart of this one. */
export function looksUnchanged(now: FolderStamp | undefined, before: FolderStamp): boolean {
  return now?.inode === before.inode && now.modified === before.modified &&
    now.changed === before.changed;
}

/** Whether a change after `at` (milliseconds since 1970, by the file system's clock) must show in the folder's look. */
export function isSettled({ modified, changed }: FolderStamp, at: number): boolean {
  return modified < at - (modified % 1000 === 0 ? SETTLED_COARSE : SETTLED) &&
    changed < at - SETTLED_CHANGE;
}
