/** What login attempts led to, in memory: the twin of what the state file keeps. */

import type { AttemptStore, BanChange, KeptBan } from "../../contracts/attempt_store.ts";

interface Kept {
  readonly since: number;
  readonly until: number;
  readonly failures: number;
}

/** What login attempts led to, in memory. */
export class MemoryAttempts implements AttemptStore {
  readonly isShared = false;
  readonly #now: () => number;
  readonly #bans = new Map<string, readonly [kind: string, target: string, Kept]>();
  readonly #logins = new Map<string, number>();

  /** @param now milliseconds of a clock that goes on */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  bans(): Promise<readonly KeptBan[]> {
    const now = this.#now();
    const bans = [...this.#bans.values()].filter(([, , { until }]) => until > now)
      .map(([kind, target, { since, until, failures }]) => ({
        kind,
        target,
        age: now - since,
        left: until - now,
        failures,
      }));
    return Promise.resolve(bans.toSorted((one, other) => other.age - one.age));
  }

  change(changes: readonly BanChange[]): Promise<void> {
    const now = this.#now();
    for (const { kind, target, ban } of changes) {
      const key = `${kind} ${target}`;
      this.#bans.delete(key);
      if (ban === undefined) continue;
      const { age, left, failures } = ban;
      this.#bans.set(key, [kind, target, { since: now - age, until: now + left, failures }]);
    }
    return Promise.resolve();
  }

  lastLogin(name: string): Promise<number | undefined> {
    const at = this.#logins.get(name);
    return Promise.resolve(at === undefined ? undefined : this.#now() - at);
  }

  loggedIn(name: string, keep: number): Promise<void> {
    const now = this.#now();
    for (const [each, at] of this.#logins) if (at <= now - keep) this.#logins.delete(each);
    this.#logins.set(name, now);
    return Promise.resolve();
  }
}
