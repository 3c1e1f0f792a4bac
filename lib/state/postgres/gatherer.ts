/** Gathers what waits while one statement of its kind is under way, and sends it in the next. */

interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (outcome: O) => void;
  readonly reject: (error: unknown) => void;
}

/** One kind of statement that takes arrays. What comes while none is under way goes at once. */
export class Gatherer<I, O> {
  readonly #run: (items: readonly I[]) => Promise<readonly O[]>;
  readonly #most: number;
  #waiting: Waiting<I, O>[] = [];
  #isRunning = false;

  /**
   * @param run does it for several: one outcome for each, in order
   * @param most how many at once
   */
  constructor(run: (items: readonly I[]) => Promise<readonly O[]>, most = 500) {
    this.#run = run;
    this.#most = most;
  }

  /** Does it for one. @throws what the statement threw that took it along */
  add(item: I): Promise<O> {
    const { promise, resolve, reject } = Promise.withResolvers<O>();
    this.#waiting.push({ item, resolve, reject });
    if (!this.#isRunning) void this.#work();
    return promise;
  }

  async #work(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const taken = this.#waiting.splice(0, this.#most);
      try {
        const outcomes = await this.#run(taken.map(({ item }) => item));
        for (const [at, { resolve }] of taken.entries()) resolve(outcomes[at] as O);
      } catch (error) {
        for (const { reject } of taken) reject(error);
      }
    }
    this.#isRunning = false;
  }
}
