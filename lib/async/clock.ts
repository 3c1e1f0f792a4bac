/** The two clocks of a machine: one for people to read, one to measure with. */

/** Tells the time. Passed in wherever time matters, so that tests can set it, and jump. */
export interface Clock {
  /** The wall clock: milliseconds since 1970. It can be wrong, and it jumps either way when it is set, so no duration is measured with it. */
  wall(): number;
  /** Milliseconds since some moment of this thread; never goes back, whatever is done to the wall clock. */
  monotonic(): number;
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
};
