/** For how long a server has run, over all its runs: what days are counted by that nothing but the passing of time may end. */

import type { Clock } from "./clock.ts";

/** Time that a server has seen pass. The wall clock does not move it. */
export interface RunningTime {
  /** Which count it is, 16 hexadecimal digits. Times of another count (of another state file) cannot be compared with it. */
  readonly id: string;
  /** Milliseconds, at least 1; never goes back while the process runs. */
  now(): number;
}

/** A moment of a {@linkcode RunningTime}, as it is handed to another thread. */
export interface RunningMoment {
  readonly id: string;
  readonly at: number;
}

/** Counts on from a moment, by monotonic time. */
export function countOn({ id, at }: RunningMoment, clock: Clock): RunningTime {
  const begun = clock.monotonic();
  return { id, now: () => at + clock.monotonic() - begun };
}
