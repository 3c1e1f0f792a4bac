/** Time as the transformer needs it, so that tests can turn the hands themselves. */

/** Tells the time and calls back. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /**
   * Calls `action` once when `milliseconds` have passed.
   *
   * @returns a function that calls it off
   */
  after(milliseconds: number, action: () => void): () => void;
}

/** The longest time that `setTimeout` can wait. */
const LONGEST = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, action): () => void {
    const timer = setTimeout(action, Math.min(milliseconds, LONGEST));
    return () => clearTimeout(timer);
  },
};

/** Resolves when `milliseconds` have passed on `clock`, or `signal` is aborted. */
export function pause(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      callOff();
      signal?.removeEventListener("abort", over);
      resolve();
    };
    const callOff = clock.after(milliseconds, over);
    signal?.addEventListener("abort", over, { once: true });
  });
}
