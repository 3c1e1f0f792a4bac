/** Decides whether days since a retrieval can be counted on, or begin anew: `expire` must never remove a message early. */

import type { RunningTime } from "../../async/running_time.ts";
import type { CacheOrigin } from "./cache_format.ts";
import type { FileLook } from "./file_look.ts";
import type { MessageIndex } from "./message_index.ts";

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
/** How far a cache may be ahead: threads learn the running time a little late, and a kill takes back what was not kept. */
const AHEAD = HOUR;
/**
 * The longest time between two writings of a cache. Each is written once a day where something in it expires, so one that is older was
 * away: its file system was put back to an earlier state, say.
 */
const LONGEST_AWAY = 7 * DAY;
/** Age from which a cache is written again only to show that it was not away. */
const WRITE_AGAIN = DAY / 2;

/** The mailbox's cache as a file. */
type CacheFile = Pick<FileLook, "inode" | "born">;

/** Tells where a cache is written, so that a copy of it is known for one. */
export function originOf({ inode, born }: CacheFile, running: RunningTime): CacheOrigin {
  return { runningId: running.id, running: running.now(), inode, born };
}

/**
 * Whether the times that a cache tells go on. They do not when it was copied (a restored backup), when the server has another state file, or
 * when it was away too long.
 *
 * @param file that the cache was read from
 */
export function goesOn(origin: CacheOrigin, file: CacheFile, running: RunningTime): boolean {
  const here = originOf(file, running);
  const away = here.running - origin.running;
  return origin.runningId === here.runningId && origin.inode === here.inode &&
    origin.born === here.born && away >= -AHEAD && away <= LONGEST_AWAY;
}

/** Lets retrieved messages have all their days again. Returns how many there are. */
export function beginAnew({ firstRetrieved }: MessageIndex, now: number): number {
  let begun = 0;
  firstRetrieved.forEach((time, row) => {
    if (time === 0) return;
    firstRetrieved[row] = now;
    begun++;
  });
  return begun;
}

/** Whether a cache must be written for its times to go on later. */
export function mustShow(
  { firstRetrieved }: MessageIndex,
  origin: CacheOrigin,
  now: number,
): boolean {
  return now - origin.running > WRITE_AGAIN && firstRetrieved.some((time) => time !== 0);
}
