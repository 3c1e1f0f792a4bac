/** Maildrop locks of one machine, in memory. */

import type { Lease } from "./gate.ts";
import type { Locks, TakeOptions } from "./locks.ts";

interface Held {
  readonly user: string;
  readonly session: string;
  readonly owner: string | undefined;
  readonly lost: AbortController;
}

/** Keeps locks in memory: they last as long as the process does. */
export class MemoryLocks implements Locks {
  readonly #byUser = new Map<string, Set<Held>>();
  readonly #bySession = new Map<string, Set<Held>>();
  readonly #byOwner = new Map<string, Set<Held>>();

  /** See {@linkcode Locks.take}. */
  take(user: string, session: string, options: TakeOptions): Promise<Lease | undefined> {
    if ((this.#byUser.get(user)?.size ?? 0) >= options.sessions) return Promise.resolve(undefined);
    const held = { user, session, owner: options.owner, lost: new AbortController() };
    add(this.#byUser, user, held);
    add(this.#bySession, session, held);
    if (options.owner !== undefined) add(this.#byOwner, options.owner, held);
    return Promise.resolve({
      lost: held.lost.signal,
      [Symbol.asyncDispose]: () => Promise.resolve(this.#release(held)),
    });
  }

  /** See {@linkcode Locks.holders}. */
  holders(user: string): Promise<number> {
    return Promise.resolve(this.#byUser.get(user)?.size ?? 0);
  }

  /** See {@linkcode Locks.revoke}. */
  revoke(session: string, reason?: Error): Promise<boolean> {
    const leases = this.#bySession.get(session);
    for (const held of leases ?? []) held.lost.abort(reason);
    return Promise.resolve(leases !== undefined);
  }

  /** See {@linkcode Locks.releaseSession}. */
  releaseSession(session: string): Promise<void> {
    return this.#takeBack(this.#bySession.get(session));
  }

  /** See {@linkcode Locks.releaseOwner}. */
  releaseOwner(owner: string): Promise<void> {
    return this.#takeBack(this.#byOwner.get(owner));
  }

  #takeBack(leases: ReadonlySet<Held> | undefined): Promise<void> {
    for (const held of [...leases ?? []]) {
      this.#release(held);
      held.lost.abort();
    }
    return Promise.resolve();
  }

  /** Gives a lock back; a second time does nothing. */
  #release(held: Held): void {
    remove(this.#byUser, held.user, held);
    remove(this.#bySession, held.session, held);
    if (held.owner !== undefined) remove(this.#byOwner, held.owner, held);
  }
}

function add(map: Map<string, Set<Held>>, key: string, held: Held): void {
  const set = map.get(key);
  if (set) set.add(held);
  else map.set(key, new Set([held]));
}

function remove(map: Map<string, Set<Held>>, key: string, held: Held): void {
  const set = map.get(key);
  if (set?.delete(held) && set.size === 0) map.delete(key);
}
