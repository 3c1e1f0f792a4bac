/** Maildrop locks of one machine, in memory. */

import type { Lease } from "../contracts/login_service.ts";
import { LeaseHolder } from "./lease_holder.ts";
import type { Locks, TakeOptions } from "../contracts/locks.ts";

/** A lock that is held. Lists, not sets: as a rule there is one, and ten thousand sessions hold one each. */
class Held extends LeaseHolder {
  readonly user: string;
  readonly session: string;
  readonly owner: string | undefined;

  constructor(
    user: string,
    session: string,
    owner: string | undefined,
    release: (held: Held) => void,
  ) {
    super(() => release(this));
    this.user = user;
    this.session = session;
    this.owner = owner;
  }
}

type Index = Map<string, Held[]>;

/** Keeps locks in memory: they last as long as the process does. */
export class MemoryLocks implements Locks {
  readonly #byUser: Index = new Map();
  readonly #bySession: Index = new Map();
  readonly #byOwner: Index = new Map();
  readonly #release = (held: Held): void => {
    remove(this.#byUser, held.user, held);
    remove(this.#bySession, held.session, held);
    if (held.owner !== undefined) remove(this.#byOwner, held.owner, held);
  };

  /** See {@linkcode Locks.take}. */
  take(user: string, session: string, options: TakeOptions): Promise<Lease | undefined> {
    if ((this.#byUser.get(user)?.length ?? 0) >= options.sessions) {
      return Promise.resolve(undefined);
    }
    const held = new Held(user, session, options.owner, this.#release);
    add(this.#byUser, user, held);
    add(this.#bySession, session, held);
    if (options.owner !== undefined) add(this.#byOwner, options.owner, held);
    return Promise.resolve(held);
  }

  /** See {@linkcode Locks.holders}. */
  holders(user: string): Promise<number> {
    return Promise.resolve(this.#byUser.get(user)?.length ?? 0);
  }

  /** See {@linkcode Locks.revoke}. */
  revoke(session: string): Promise<boolean> {
    const leases = this.#bySession.get(session);
    for (const held of leases ?? []) held.lose();
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

  async #takeBack(leases: readonly Held[] | undefined): Promise<void> {
    for (const held of [...leases ?? []]) {
      await held[Symbol.asyncDispose]();
      held.lose();
    }
  }
}

function add(index: Index, key: string, held: Held): void {
  const list = index.get(key);
  if (list) list.push(held);
  else index.set(key, [held]);
}

function remove(index: Index, key: string, held: Held): void {
  const list = index.get(key);
  const at = list?.indexOf(held) ?? -1;
  if (list === undefined || at < 0) return;
  list.splice(at, 1);
  if (list.length === 0) index.delete(key);
}
