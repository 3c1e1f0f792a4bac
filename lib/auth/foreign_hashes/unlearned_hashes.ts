/** The hashes of users who have no SCRAM keys yet, and which of them costs the most. */

import type { ForeignHash } from "../../contracts/user_source.ts";
import { costOf } from "./hash_cost.ts";

/** Hashes by user. Asking for the costliest one takes no longer with a million than with ten. */
export class UnlearnedHashes {
  readonly #costs = new Map<string, number>();
  /** By whole milliseconds of cost; there are no more of them than {@linkcode refuseCost} allows. */
  readonly #byCost = new Map<number, Map<string, ForeignHash>>();

  /** How many users have one. */
  get size(): number {
    return this.#costs.size;
  }

  /** The hash whose check costs the most, or undefined when there is none. */
  get costliest(): ForeignHash | undefined {
    let most = -1;
    for (const cost of this.#byCost.keys()) most = Math.max(most, cost);
    return this.#byCost.get(most)?.values().next().value;
  }

  /** Notes a user's hash, in place of the one before. */
  set(name: string, hash: ForeignHash): void {
    this.delete(name);
    const cost = Math.round(costOf(hash).milliseconds);
    this.#costs.set(name, cost);
    const alike = this.#byCost.get(cost) ?? new Map<string, ForeignHash>();
    this.#byCost.set(cost, alike.set(name, hash));
  }

  /** Forgets a user. */
  delete(name: string): void {
    const cost = this.#costs.get(name);
    if (cost === undefined) return;
    this.#costs.delete(name);
    const alike = this.#byCost.get(cost);
    alike?.delete(name);
    if (alike?.size === 0) this.#byCost.delete(cost);
  }
}
