/** Keeps the counters' totals in a store, so that they survive a restart, and a kill to within a second. */

import type { CounterStore } from "../contracts/record_store.ts";
import type { Counters } from "./counters.ts";
import { logger } from "../log/logging.ts";

/** The part of the state that this needs. */
export type TotalsStore = Pick<CounterStore, "totals" | "add">;

/** Totals that are no sums. */
const PEAKS: ReadonlySet<string> = new Set(["pop3.sessions.peak"]);

/** How often totals are saved. */
export interface KeepOptions {
  /** Milliseconds between two saves. @default {500} */
  readonly interval?: number;
}

/** The keeping, under way. Disposing stops it after a last save. */
export interface KeptCounters extends AsyncDisposable {
  /** Saves, if something was counted since the last save, after one that is under way. Never rejects. */
  save(): Promise<void>;
}

/**
 * Adds what the store holds to the counters, and from then on saves them whenever something was counted.
 * A store that fails costs a warning, and the totals stay with the next attempt.
 *
 * @throws {Error} when the store cannot be read
 */
export async function keepCounters(
  counters: Counters,
  store: TotalsStore,
  options: KeepOptions = {},
): Promise<KeptCounters> {
  counters.restore(await store.totals());
  return new Keeping(counters, store, options.interval ?? 500);
}

class Keeping implements KeptCounters {
  readonly #counters: Counters;
  readonly #store: TotalsStore;
  readonly #timer: ReturnType<typeof setInterval>;
  #revision: number;
  /** What the store knows of what the counters say. */
  #saved: ReadonlyMap<string, number>;
  #failing = false;
  #last: Promise<void> = Promise.resolve();
  #waiting = false;

  constructor(counters: Counters, store: TotalsStore, interval: number) {
    this.#counters = counters;
    this.#store = store;
    this.#revision = counters.revision;
    this.#saved = counters.totals();
    this.#timer = setInterval(() => {
      // A slow store must not gather a queue of saves.
      if (!this.#waiting) void this.save();
    }, interval);
    Deno.unrefTimer(this.#timer);
  }

  save(): Promise<void> {
    this.#waiting = true;
    this.#last = this.#last.then(() => this.#saveNow()).finally(() => this.#waiting = false);
    return this.#last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.save();
  }

  async #saveNow(): Promise<void> {
    const revision = this.#counters.revision;
    if (revision === this.#revision) return;
    try {
      const totals = this.#counters.totals();
      const deltas = new Map<string, number>();
      const peaks = new Map<string, number>();
      for (const [name, total] of totals) {
        const delta = total - (this.#saved.get(name) ?? 0);
        if (delta === 0) continue;
        if (PEAKS.has(name)) peaks.set(name, total);
        else deltas.set(name, delta);
      }
      await this.#store.add(deltas, peaks);
      this.#saved = totals;
      this.#revision = revision;
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) {
        logger("counters").warn("The counters cannot be saved: {error}", { error });
      }
      this.#failing = true;
    }
  }
}
