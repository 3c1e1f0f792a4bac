/** Lets only so many at once: transformers that run, logins of an address that are checked; the others wait their turn. */

/** Where one waits until its turn has come. Asynchronous, since the count may be kept for several threads. */
export interface Turns {
  /**
   * Waits for a turn. The one who waits longest is next.
   *
   * @param signal ends the waiting. One that many share makes each of them slower, since it looks through all its listeners.
   * @returns the turn; disposing gives it back, and disposing it twice does no harm
   * @throws the signal's reason when it is aborted first
   */
  enter(signal?: AbortSignal): Promise<Disposable>;
}

/** Counts turns in this thread. The limit can be changed at any time; those who are through stay. */
export class Semaphore implements Turns {
  #limit: number;
  #running = 0;
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();

  /** @param limit how many may run at once: a whole number from 1, or `Infinity` */
  constructor(limit: number) {
    this.#limit = checked(limit);
  }

  /** How many may run at once. */
  get limit(): number {
    return this.#limit;
  }

  set limit(limit: number) {
    this.#limit = checked(limit);
    this.#admit();
  }

  /** How many turns are taken. */
  get running(): number {
    return this.#running;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  async enter(signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted();
    if (this.#running < this.#limit && this.#waiting.size === 0) {
      this.#running++;
    } else {
      await this.#queue(signal);
    }
    return this.#turn();
  }

  /** Resolves when the turn was counted for the one who called. */
  #queue(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const admitted = (): void => {
        signal?.removeEventListener("abort", gone);
        resolve();
      };
      const gone = (): void => {
        this.#waiting.delete(admitted);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", gone, { once: true });
      this.#waiting.add(admitted);
    });
  }

  #turn(): Disposable {
    let taken = true;
    return {
      [Symbol.dispose]: (): void => {
        if (!taken) return;
        taken = false;
        this.#running--;
        this.#admit();
      },
    };
  }

  #admit(): void {
    for (const admitted of this.#waiting) {
      if (this.#running >= this.#limit) return;
      this.#waiting.delete(admitted);
      this.#running++;
      admitted();
    }
  }
}

function checked(limit: number): number {
  if (limit === Infinity || (Number.isInteger(limit) && limit >= 1)) return limit;
  throw new RangeError(
    `A limit of ${limit} transformers was given: it must be a whole number from 1`,
  );
}
