/** Bans in force, each of the same length, in bounded memory. */

import type { Ban } from "./ban.ts";

/** Settings of {@linkcode BanList}. */
export interface BanListOptions {
  readonly kind: Ban["kind"];
  /** Milliseconds that a ban lasts. */
  readonly duration: number;
  /** How many are kept at most; the one that ends soonest gives way. */
  readonly capacity: number;
}

/** Bans of one kind. They end in the order in which they began, which is the map's. */
export class BanList {
  readonly #options: BanListOptions;
  readonly #bans = new Map<string, Ban>();

  constructor(options: BanListOptions) {
    this.#options = options;
  }

  /** Bans, or begins a ban anew. */
  add(target: string, failures: number, now: number): Ban {
    const { kind, duration, capacity } = this.#options;
    this.#sweep(now);
    this.#bans.delete(target);
    const ban: Ban = { kind, target, since: now, until: now + duration, failures };
    this.#bans.set(target, ban);
    const [oldest] = this.#bans.keys();
    if (this.#bans.size > capacity && oldest !== undefined) this.#bans.delete(oldest);
    return ban;
  }

  /** Whether a target is banned now. */
  holds(target: string, now: number): boolean {
    const ban = this.#bans.get(target);
    return ban !== undefined && now < ban.until;
  }

  /** Ends a ban; says whether there was one. */
  lift(target: string, now: number): boolean {
    this.#sweep(now);
    return this.#bans.delete(target);
  }

  /** The bans in force. */
  list(now: number): Ban[] {
    this.#sweep(now);
    return [...this.#bans.values()];
  }

  #sweep(now: number): void {
    for (const [target, ban] of this.#bans) {
      if (now < ban.until) return;
      this.#bans.delete(target);
    }
  }
}
