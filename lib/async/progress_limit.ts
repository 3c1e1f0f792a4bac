/** Gives work up that makes no progress any more. */

/**
 * Waits for work that says when it has come further.
 *
 * @param milliseconds that it may go without; a little less than twice as long may pass before it is given up
 * @param late makes the error
 * @param work is told what to call as it goes on; nobody waits for it when it was given up
 * @throws what `late` makes, and what the work throws
 */
export async function withProgress<T>(
  milliseconds: number,
  late: () => Error,
  work: (progressed: () => void) => Promise<T>,
): Promise<T> {
  let steps = 0;
  let seen = -1;
  const given = Promise.withResolvers<never>();
  const timer = setInterval(() => {
    if (seen === steps) given.reject(late());
    seen = steps;
  }, milliseconds);
  const working = work(() => steps++);
  working.catch(() => {}); // Nobody may wait for it.
  try {
    return await Promise.race([working, given.promise]);
  } finally {
    clearInterval(timer);
  }
}
