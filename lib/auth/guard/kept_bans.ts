/** Keeps bans in the state: what a guard decides is written down, and what was written down is in force after a restart. */

import { type Clock, systemClock } from "../../async/clock.ts";
import type { AttemptStore, BanChange } from "../../contracts/attempt_store.ts";
import { logger } from "../../log/logging.ts";
import type { GuardedLogins, LoginGuard } from "../login_guard.ts";
import type { BanEntry } from "./ban_list.ts";
import type { BanKind } from "./guard_options.ts";

const log = logger("guard");

/** Changes that wait for a state that takes none; of more, the oldest are not kept. */
const MOST_WAITING = 50_000;

/** How bans are kept. */
export interface KeptBansOptions {
  readonly store: Pick<AttemptStore, "bans" | "change">;
  /** @default {systemClock} */
  readonly clock?: Clock;
  /** Milliseconds between two tries while the state cannot be written. @default {1000} */
  readonly retryAfter?: number;
}

/** A change by this thread's monotonic time. */
interface Noted extends Pick<BanChange, "kind" | "target"> {
  readonly entry: BanEntry | undefined;
}

/** Writes down what guards tell, in the order in which it happens. Disposing waits for what can be written. */
export class KeptBans implements AsyncDisposable {
  readonly #options: Required<KeptBansOptions>;
  readonly #waiting = new Map<string, Noted>();
  #writing: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isFailing = false;

  constructor(options: KeptBansOptions) {
    this.#options = { clock: systemClock, retryAfter: 1000, ...options };
  }

  /** What a guard of these logins tells of its bans. */
  of(logins: GuardedLogins): (kind: BanKind, target: string, ban: BanEntry | undefined) => void {
    return (kind, target, entry) => this.#note({ kind: `${logins}:${kind}`, target, entry });
  }

  /**
   * Brings the bans that are kept into force.
   *
   * @throws {StateStoreError} when they cannot be read
   */
  async load(guards: Readonly<Record<GuardedLogins, LoginGuard>>): Promise<void> {
    const { clock, store } = this.#options;
    const kept = await store.bans();
    const now = clock.monotonic();
    const entries = new Map(
      kept.map(({ kind, target, age, left, failures }) => [
        keyOf(kind, target),
        { kind, target, entry: { begun: now - age, ends: now + left, failures } } as Noted,
      ]),
    );
    // What is not written yet is newer.
    for (const [key, noted] of this.#waiting) entries.set(key, noted);
    for (const [logins, guard] of Object.entries(guards)) {
      const of = (kind: BanKind): (readonly [string, BanEntry])[] =>
        [...entries.values()].flatMap(({ kind: each, target, entry }) =>
          each === `${logins}:${kind}` && entry !== undefined ? [[target, entry] as const] : []
        );
      guard.restore({
        address: of("address"),
        user: of("user"),
        local: of("local"),
        "ordered-address": of("ordered-address"),
        "ordered-user": of("ordered-user"),
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#writing;
    if (this.#waiting.size > 0) await this.#write();
    clearTimeout(this.#timer);
  }

  #note(noted: Noted): void {
    const key = keyOf(noted.kind, noted.target);
    this.#waiting.delete(key);
    this.#waiting.set(key, noted);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > MOST_WAITING && oldest !== undefined) this.#waiting.delete(oldest);
    if (!this.#isFailing) this.#begin();
  }

  #begin(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
      if (this.#waiting.size > 0 && !this.#isFailing) this.#begin();
    });
  }

  async #write(): Promise<void> {
    const { clock, retryAfter, store } = this.#options;
    const taken = new Map(this.#waiting);
    this.#waiting.clear();
    const now = clock.monotonic();
    try {
      await store.change(
        [...taken.values()].map(({ kind, target, entry }) => ({
          kind,
          target,
          ban: entry &&
            { age: now - entry.begun, left: entry.ends - now, failures: entry.failures },
        })),
      );
      if (this.#isFailing) log.info("Bans can be saved again");
      this.#isFailing = false;
    } catch (error) {
      for (const [key, noted] of taken) if (!this.#waiting.has(key)) this.#waiting.set(key, noted);
      if (!this.#isFailing) log.warn("Bans cannot be saved, trying again: {error}", { error });
      this.#isFailing = true;
      this.#timer = setTimeout(() => this.#begin(), retryAfter);
      Deno.unrefTimer(this.#timer);
    }
  }
}

function keyOf(kind: string, target: string): string {
  return `${kind} ${target}`;
}
