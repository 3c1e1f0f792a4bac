/** Bounds how many logins of one network are checked at once, so that many guesses said together are counted one by one. */

interface Line {
  running: number;
  readonly waiting: (() => void)[];
}

/** Lines of attempts, one for each network; those beyond so many at once wait, first come, first served. */
export class AttemptsInTurn {
  readonly #most: number;
  readonly #lines = new Map<string, Line>();

  /** @param most attempts of one network that run at once */
  constructor(most: number) {
    this.#most = most;
  }

  /** Runs an attempt in its turn, and gives or throws what it gives or throws. */
  async run<T>(network: string, attempt: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(network) ?? { running: 0, waiting: [] };
    this.#lines.set(network, line);
    if (line.running < this.#most) line.running++;
    else await new Promise<void>((resolve) => line.waiting.push(resolve));
    try {
      return await attempt();
    } finally {
      // The place goes to the next in line, or becomes free.
      const next = line.waiting.shift();
      if (next !== undefined) next();
      else if (--line.running === 0) this.#lines.delete(network);
    }
  }
}
