/** Waiting for conditions, with a deadline only as a safety net against hangs. */

/** Milliseconds after which a test that waits has failed: long enough for a machine whose cores are busy with other work. */
export const SAFETY_NET = 120_000;

/**
 * Settles as `promise` does, or fails with a sentence once the deadline has passed.
 *
 * @param what for "… did not happen within"
 */
export async function within<T>(
  promise: Promise<T>,
  what: string,
  milliseconds: number = SAFETY_NET,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Hang: ${what} did not happen within ${milliseconds} ms.`)),
    milliseconds,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Lets the event loop go round so many times. Whatever needs nothing from outside of this thread has happened by then, however busy the
 * machine is: for tests that say what does not happen.
 */
export async function turns(count: number = 20): Promise<void> {
  for (; count > 0; count--) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** Asks again and again until the answer is true; fails with the last answer's description otherwise. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  describe: () => unknown | Promise<unknown> = () => "",
  milliseconds: number = SAFETY_NET,
): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!(await condition())) {
    if (performance.now() > end) {
      throw new Error(`Hang: ${what} was not so within ${milliseconds} ms. ${await describe()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
