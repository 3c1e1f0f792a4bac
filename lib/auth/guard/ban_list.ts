/** Bans in force, each of the same length, in bounded memory. */

import type { Clock } from "../../async/clock.ts";
import type { Ban } from "../../contracts/ban.ts";

/** Settings of {@linkcode BanList}. */
export interface BanListOptions {
  readonly kind: Ban["kind"];
  /** Milliseconds that a ban lasts. */
  readonly duration: number;
  /** How many are kept at most; the one that ends soonest gives way. */
  readonly capacity: number;
  readonly clock: Clock;
}

/** A ban by monotonic time: setting the wall clock neither ends nor prolongs it. */
interface Entry {
  readonly begun: number;
  readonly ends: number;
  readonly failures: number;
}

/** Bans of one kind. They end in the order in which they began, which is the map's. */
export class BanList {
  readonly #options: BanListOptions;
  readonly #bans = new Map<string, Entry>();

  constructor(options: BanListOptions) {
    this.#options = options;
  }

  /** Bans, or begins a ban anew. */
  add(target: string, failures: number): Ban {
    const { duration, capacity, clock } = this.#options;
    this.#sweep();
    this.#bans.delete(target);
    const begun = clock.monotonic();
    const entry = { begun, ends: begun + duration, failures };
    this.#bans.set(target, entry);
    const [oldest] = this.#bans.keys();
    if (this.#bans.size > capacity && oldest !== undefined) this.#bans.delete(oldest);
    return this.#shown(target, entry);
  }

  /** Whether a target is banned now. */
  holds(target: string): boolean {
    const ban = this.#bans.get(target);
    return ban !== undefined && this.#options.clock.monotonic() < ban.ends;
  }

  /** Ends a ban; says whether there was one. */
  lift(target: string): boolean {
    this.#sweep();
    return this.#bans.delete(target);
  }

  /** The bans in force. */
  list(): Ban[] {
    this.#sweep();
    return Array.from(this.#bans, ([target, entry]) => this.#shown(target, entry));
  }

  #shown(target: string, { begun, ends, failures }: Entry): Ban {
    const { kind, clock } = this.#options;
    const offset = clock.wall() - clock.monotonic();
    return {
      kind,
      target,
      since: Math.round(begun + offset),
      until: Math.round(ends + offset),
      failures,
    };
  }

  #sweep(): void {
    const now = this.#options.clock.monotonic();
    for (const [target, { ends }] of this.#bans) {
      if (now < ends) return;
      this.#bans.delete(target);
    }
  }
}
