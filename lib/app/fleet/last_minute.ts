/** What totals grew by in the last minute, looked at now and then. */

const MINUTE = 60_000;

interface Look<K extends string> {
  readonly at: number;
  readonly totals: Readonly<Record<K, number>>;
}

/** Growth of some totals. */
export class LastMinute<K extends string> {
  readonly #total: (name: K) => number;
  readonly #names: readonly K[];
  readonly #now: () => number;
  readonly #looks: Look<K>[] = [];

  /** @param total what a name's total is now */
  constructor(
    total: (name: K) => number,
    names: readonly K[],
    now: () => number = () => performance.now(),
  ) {
    this.#total = total;
    this.#names = names;
    this.#now = now;
    this.take();
  }

  /** Looks, and tells by how much each total has grown since the last look that is a minute old, or the first. */
  take(): Record<K, number> {
    const at = this.#now();
    const entries = this.#names.map((name) => [name, this.#total(name)]);
    const totals = Object.fromEntries(entries) as Record<K, number>;
    this.#looks.push({ at, totals });
    while (this.#looks.length > 2 && this.#looks[1]!.at <= at - MINUTE) this.#looks.shift();
    const before = this.#looks[0]!.totals;
    const grown = this.#names.map((name) => [name, totals[name] - before[name]]);
    return Object.fromEntries(grown) as Record<K, number>;
  }
}
