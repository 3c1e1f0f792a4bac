/** What maildrop locks are: leases on a user, held by sessions. */

import type { Lease } from "./login_service.ts";

/** How a lease is taken. */
export interface TakeOptions {
  /** How many sessions may hold the user's lock at once (`max_sessions_per_user`). */
  readonly sessions: number;
  /**
   * Milliseconds to wait for another session to let go.
   *
   * @default {0}
   */
  readonly wait?: number;
  /** Ends the waiting: nobody wants the lock any more. */
  readonly signal?: AbortSignal;
}

/** Keeps who holds which user's lock. Asynchronous, because several machines keep it in a shared database. */
export interface Locks {
  /**
   * Takes a user's lock for a session.
   *
   * @returns undefined when as many sessions as may hold it do, also after waiting
   * @throws {LocksUnavailableError} when it cannot be found out who holds it
   */
  take(user: string, session: string, options: TakeOptions): Promise<Lease | undefined>;
  /**
   * How many sessions hold the user's lock.
   *
   * @throws {LocksUnavailableError} when that cannot be found out
   */
  holders(user: string): Promise<number>;
}

/** Where locks are kept cannot be reached; the message is for the log. */
export class LocksUnavailableError extends Error {
  override name = "LocksUnavailableError";
}
