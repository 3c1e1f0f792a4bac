/** Bans in force, in bounded memory. */

import type { Clock } from "../../async/clock.ts";
import type { Ban } from "../../contracts/ban.ts";

/** Settings of {@linkcode BanList}. */
export interface BanListOptions {
  readonly kind: Ban["kind"];
  /** How many are kept at most; the one that began first gives way. */
  readonly capacity: number;
  readonly clock: Clock;
  /** Told of each ban that begins, and of each that ends before its time (without what it was). */
  readonly changed?: (target: string, ban: BanEntry | undefined) => void;
}

/** A ban by monotonic time: setting the wall clock neither ends nor prolongs it. */
export interface BanEntry {
  readonly begun: number;
  readonly ends: number;
  readonly failures: number;
}

/** Milliseconds between two looks at all bans for those that have ended. */
const SWEEP_INTERVAL_MS = 1000;

/** Bans of one kind. Asking for one, or whether there is any, costs the same however many there are. */
export class BanList {
  readonly #options: BanListOptions;
  readonly #bans = new Map<string, BanEntry>();
  /** Before this no ban has ended since the last sweep, or too little time has passed. */
  #nextSweep = 0;

  constructor(options: BanListOptions) {
    this.#options = options;
  }

  /** How many are kept; of those that have ended, some may still be counted for a second. */
  get size(): number {
    this.#sweep();
    return this.#bans.size;
  }

  /**
   * Bans, or begins a ban anew.
   *
   * @param duration milliseconds
   */
  add(target: string, { failures, duration }: { failures: number; duration: number }): Ban {
    const { capacity, clock } = this.#options;
    this.#sweep();
    this.#bans.delete(target);
    const begun = clock.monotonic();
    const entry = { begun, ends: begun + duration, failures };
    this.#bans.set(target, entry);
    this.#nextSweep = Math.min(this.#nextSweep, Math.max(entry.ends, begun + SWEEP_INTERVAL_MS));
    this.#options.changed?.(target, entry);
    const [oldest] = this.#bans.keys();
    if (this.#bans.size > capacity && oldest !== undefined) this.#end(oldest);
    return this.#shown(target, entry);
  }

  /** Takes what another run, or another machine, knows in place of what is known here; tells nobody of it. */
  restore(bans: Iterable<readonly [target: string, BanEntry]>): void {
    this.#bans.clear();
    for (const [target, entry] of bans) this.#bans.set(target, entry);
    this.#nextSweep = 0;
  }

  /** Whether a target is banned now. */
  holds(target: string): boolean {
    if (this.#bans.size === 0) return false;
    const ban = this.#bans.get(target);
    return ban !== undefined && this.#options.clock.monotonic() < ban.ends;
  }

  /** Ends a ban; says whether there was one. */
  lift(target: string): boolean {
    const held = this.holds(target);
    if (this.#bans.has(target)) this.#end(target);
    return held;
  }

  /** Ends the bans whose targets fit; says whether there was any. */
  liftAll(fits: (target: string) => boolean): boolean {
    const targets = this.#bans.keys().filter(fits).toArray();
    return targets.map((target) => this.lift(target)).includes(true);
  }

  /** The bans in force. */
  list(): Ban[] {
    const now = this.#options.clock.monotonic();
    return this.#bans.entries()
      .filter(([, { ends }]) => now < ends)
      .map(([target, entry]) => this.#shown(target, entry))
      .toArray();
  }

  #end(target: string): void {
    this.#bans.delete(target);
    this.#options.changed?.(target, undefined);
  }

  #shown(target: string, { begun, ends, failures }: BanEntry): Ban {
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
    if (now < this.#nextSweep) return;
    let first = Infinity;
    for (const [target, { ends }] of this.#bans) {
      if (ends <= now) this.#bans.delete(target);
      else first = Math.min(first, ends);
    }
    this.#nextSweep = Math.max(first, now + SWEEP_INTERVAL_MS);
  }
}
