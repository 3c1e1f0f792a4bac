/** What maildrop locks are: leases on a user, held by sessions. */

import type { Lease } from "./login_service.ts";

/** How a lease is taken. */
export interface TakeOptions {
  /** How many sessions may hold the user's lock at once (`max_sessions_per_user`). */
  readonly sessions: number;
  /** Who serves the session, so that all of its leases end with it: a worker's name. */
  readonly owner?: string;
}

/** Keeps who holds which user's lock. Asynchronous, because several machines would keep it in a shared database. */
export interface Locks {
  /**
   * Takes a user's lock for a session.
   *
   * @returns undefined when as many sessions as may hold it do
   */
  take(user: string, session: string, options: TakeOptions): Promise<Lease | undefined>;
  /** How many sessions hold the user's lock. */
  holders(user: string): Promise<number>;
  /**
   * Ends a session's leases from outside: tells whom {@linkcode Lease.onLost} named. The lock stays taken until the session has let go.
   *
   * @returns whether the session held any
   */
  revoke(session: string): Promise<boolean>;
  /** Takes back all leases of a session that is gone without having disposed them. */
  releaseSession(session: string): Promise<void>;
  /** Takes back all leases of an owner that died. */
  releaseOwner(owner: string): Promise<void>;
}
