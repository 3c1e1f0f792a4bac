/** Maildrop locks of one machine, in memory: they last as long as the process does. */

import type { Lease } from "../contracts/login_service.ts";
import type { Locks, TakeOptions } from "../contracts/locks.ts";
import { LeaseHolder } from "./lease_holder.ts";

/** One user's lock. */
interface UserLock {
  holders: number;
  /** Those who wait, in the order in which they came: each tries again, and says whether it has the lock now. */
  readonly waiting: Set<() => boolean>;
}

/** Keeps locks in memory. */
export class MemoryLocks implements Locks {
  readonly isShared = false;
  readonly #users = new Map<string, UserLock>();

  async take(user: string, _session: string, options: TakeOptions): Promise<Lease | undefined> {
    options.signal?.throwIfAborted();
    return this.#tryTake(user, options.sessions) ?? await this.#wait(user, options);
  }

  holders(user: string): Promise<number> {
    return Promise.resolve(this.#users.get(user)?.holders ?? 0);
  }

  #tryTake(user: string, sessions: number): Lease | undefined {
    const lock = this.#users.get(user) ?? { holders: 0, waiting: new Set() };
    if (lock.holders >= sessions) return undefined;
    lock.holders++;
    this.#users.set(user, lock);
    return new LeaseHolder({ release: () => this.#release(user, lock) });
  }

  /** Settles when a holder lets go, or there was no such for as long as may be. */
  #wait(user: string, { sessions, wait = 0, signal }: TakeOptions): Promise<Lease | undefined> {
    const lock = this.#users.get(user);
    if (wait <= 0 || lock === undefined) return Promise.resolve(undefined);
    const { promise, resolve, reject } = Promise.withResolvers<Lease | undefined>();
    const attempt = (): boolean => {
      const lease = this.#tryTake(user, sessions);
      if (lease !== undefined) resolve(lease);
      return lease !== undefined;
    };
    const abort = (): void => reject(signal?.reason);
    const timer = setTimeout(() => resolve(undefined), wait);
    signal?.addEventListener("abort", abort, { once: true });
    lock.waiting.add(attempt);
    return promise.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      lock.waiting.delete(attempt);
    });
  }

  #release(user: string, lock: UserLock): void {
    lock.holders--;
    for (const attempt of lock.waiting) {
      if (!attempt()) break;
      lock.waiting.delete(attempt);
    }
    if (lock.holders === 0) this.#users.delete(user);
  }
}
