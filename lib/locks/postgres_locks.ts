/** Maildrop leases that several nodes share, in a database: valid for as long as their node's heartbeat says so. */

import { delay } from "../async/delay.ts";
import type { CloseReason } from "../contracts/event.ts";
import type { Lease } from "../contracts/login_service.ts";
import { type Locks, LocksUnavailableError, type TakeOptions } from "../contracts/locks.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import type { Database } from "../state/postgres/database.ts";
import { Gatherer } from "../state/postgres/gatherer.ts";
import { Outbox, type OutboxOptions } from "../state/postgres/outbox.ts";
import { LeaseHolder } from "./lease_holder.ts";
import {
  claimLeases,
  countLeases,
  endLeases,
  type Given,
  type LeaseHolderNode,
  reviveLeases,
  takeLeases,
  takeOver,
  type Wanted,
} from "./lease_statements.ts";

/** A claim keeps others away for ten seconds by the database's clock; what is less is for the way and for clocks that differ in pace. */
const CLAIMED = 8000;
/** Milliseconds for which QUIT waits for its claim. */
const LONGEST_CLAIM = 5000;
const CLAIM_AGAIN = 100;
/** Milliseconds between two looks at a lock that another node holds. */
const LOOK_AGAIN = 125;

/** What a session did, for its record in the access log. */
export type SessionTotals = Omit<NonNullable<Given["record"]>, "ending">;

/** What locks in a database work with. */
export interface PostgresLocksOptions
  extends Pick<OutboxOptions<unknown>, "onTrouble" | "onRecovery"> {
  readonly database: Database;
  /** This node, whose epoch may grow. */
  readonly node: () => LeaseHolderNode;
  /**
   * Takes over the record of a session whose lock is given back; undefined where the session had not come as far as to have one.
   */
  readonly record?: (session: string) => SessionTotals | undefined;
}

/** Keeps locks in a database. */
export class PostgresLocks implements Locks {
  readonly isShared = true;
  readonly #options: PostgresLocksOptions;
  readonly #held = new Map<string, LeaseHolder>();
  readonly #takes: Gatherer<Wanted, boolean>;
  readonly #claims: Gatherer<string, boolean>;
  readonly #ends: Outbox<Given>;
  /** Those who wait for a user on this node, one behind the other: who came first looks first. */
  readonly #lines = new Map<string, Promise<unknown>>();

  constructor(options: PostgresLocksOptions) {
    this.#options = options;
    const { database, node, onTrouble, onRecovery } = options;
    this.#takes = new Gatherer(async (wanted) => {
      const taken = await takeLeases(database, node(), wanted);
      return wanted.map(({ session }) => taken.has(session));
    });
    this.#claims = new Gatherer(async (sessions) => {
      const held = await claimLeases(database, sessions);
      return sessions.map((session) => held.has(session));
    });
    this.#ends = new Outbox({
      send: (given) => endLeases(database, given),
      onTrouble,
      onRecovery,
    });
  }

  /** How many leases are held here. */
  get size(): number {
    return this.#held.size;
  }

  async take(user: string, session: string, options: TakeOptions): Promise<Lease | undefined> {
    const { client, sessions, signal, wait = 0 } = options;
    signal?.throwIfAborted();
    // A name of its own for what is no session: each row has another.
    const name = client === undefined ? `${session}/${crypto.randomUUID()}` : session;
    const wanted = { user, session: name, sessions, client };
    try {
      const taken = wait <= 0
        ? await this.#tryTake(wanted)
        : await this.#inLine(wanted, wait, signal);
      if (!taken) return undefined;
    } catch (error) {
      if (!(error instanceof StateStoreError)) throw error;
      // It may have been taken all the same.
      void this.#ends.add({ session: name, record: undefined });
      throw new LocksUnavailableError(error.message, { cause: error });
    }
    return this.#hold(wanted);
  }

  async holders(user: string): Promise<number> {
    try {
      return await countLeases(this.#options.database, user);
    } catch (error) {
      if (!(error instanceof StateStoreError)) throw error;
      throw new LocksUnavailableError(error.message, { cause: error });
    }
  }

  /** Brings the leases of a lapsed epoch into the present one. Those that were taken over meanwhile are lost. @throws {StateStoreError} */
  async revive(before: number): Promise<void> {
    const { database, node } = this.#options;
    const sessions = [...this.#held.keys()];
    const revived = await reviveLeases(database, node(), before, sessions);
    for (const session of sessions) if (!revived.has(session)) this.#lose(session);
  }

  /** Writes what was given back while the database was away, as far as it can be written now. */
  flush(): Promise<void> {
    return this.#ends.retry();
  }

  async #tryTake(wanted: Wanted): Promise<boolean> {
    if (await this.#takes.add(wanted)) return true;
    return await takeOver(this.#options.database, this.#options.node(), wanted);
  }

  /** Looks again and again, behind those who wait already. */
  async #inLine(wanted: Wanted, wait: number, signal: AbortSignal | undefined): Promise<boolean> {
    const { user } = wanted;
    const end = performance.now() + wait;
    const before = this.#lines.get(user);
    const place = (async (): Promise<boolean> => {
      if (before !== undefined) await orLater(before, wait, signal);
      for (;;) {
        if (await this.#tryTake(wanted)) return true;
        const left = end - performance.now();
        if (left <= 0) return false;
        await delay(Math.min(LOOK_AGAIN, left), { signal });
      }
    })();
    const settled = place.catch(() => undefined);
    this.#lines.set(user, settled);
    try {
      return await place;
    } finally {
      if (this.#lines.get(user) === settled) this.#lines.delete(user);
    }
  }

  #hold({ session, client }: Wanted): Lease {
    const lease = new LeaseHolder({
      claim: () => this.#claim(session),
      release: (ending) => this.#end(session, ending, client !== undefined),
    });
    this.#held.set(session, lease);
    return lease;
  }

  /** @throws {LocksUnavailableError} when it cannot be found out in time */
  async #claim(session: string): Promise<number> {
    const begun = performance.now();
    for (;;) {
      const asked = performance.now();
      const late = LONGEST_CLAIM - (asked - begun);
      try {
        const held = await within(this.#claims.add(session), late);
        if (held) return CLAIMED - (asked - begun);
        this.#lose(session);
        return 0;
      } catch (error) {
        if (!(error instanceof StateStoreError) && !(error instanceof LateError)) throw error;
        if (performance.now() - begun + CLAIM_AGAIN >= LONGEST_CLAIM) {
          throw new LocksUnavailableError(error.message, { cause: error });
        }
        await delay(CLAIM_AGAIN);
      }
    }
  }

  #lose(session: string): void {
    const lease = this.#held.get(session);
    this.#held.delete(session);
    lease?.lose();
  }

  #end(session: string, ending: CloseReason, isSession: boolean): Promise<void> {
    const { record } = this.#options;
    const totals = isSession ? record?.(session) : undefined;
    // One that was lost is another's, or is gone, with its record.
    if (!this.#held.delete(session)) return Promise.resolve();
    return this.#ends.add({ session, record: totals && { ...totals, ending } });
  }
}

/** Waits for something, but no longer than so many milliseconds. @throws the signal's reason */
async function orLater(
  pending: Promise<unknown>,
  milliseconds: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const over = new AbortController();
  const both = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  try {
    await Promise.race([pending, delay(milliseconds, { signal: both })]);
  } finally {
    over.abort();
  }
}

/** A claim that takes too long. */
class LateError extends Error {
  override name = "LateError";
}

async function within<T>(pending: Promise<T>, milliseconds: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new LateError("The database does not answer in time")),
    milliseconds,
  );
  try {
    return await Promise.race([pending, promise]);
  } finally {
    clearTimeout(timer);
  }
}
