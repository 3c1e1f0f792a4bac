/** What maildrop locks are: leases on a user, held by sessions. */

import { ExpectedError } from "./expected_error.ts";
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
  /** Whose session it is, for administrators on other machines; absent where no client stands behind it. */
  readonly client?: LeaseClient;
}

/** What is shown of the client behind a lease. */
export interface LeaseClient {
  /** The IP address. */
  readonly address: string;
  readonly tls: string | undefined;
  readonly mechanism: string;
}

/** Keeps who holds which user's lock. Asynchronous, because several machines keep it in a shared database. */
export interface Locks {
  /** Whether other machines keep locks in the same place, so that giving one back takes its time, and what is held can be lost. */
  readonly isShared: boolean;
  /**
   * Takes a user's lock for a session.
   *
   * @param session its name, or what else holds the lock
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
export class LocksUnavailableError extends ExpectedError {
  override name = "LocksUnavailableError";
}
