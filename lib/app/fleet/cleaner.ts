/** Cleans up for all servers, while this one holds the lock for it. */

import type { Lease } from "../../contracts/login_service.ts";
import { type Locks, LocksUnavailableError } from "../../contracts/locks.ts";
import { StateStoreError } from "../../contracts/state_store.ts";
import { deadLeases, removeDead } from "../../locks/lease_statements.ts";
import { cleanOften, cleanSeldom } from "../../state/postgres/cleaning.ts";
import type { Database } from "../../state/postgres/database.ts";

const MINUTE = 60_000;
/** Minutes between two looks at the access log. */
const SELDOM = 60;
/** No user's name begins so. */
const LOCK = "*clean";

/** What a cleaner works with. */
export interface CleanerOptions {
  readonly database: Database;
  readonly locks: Pick<Locks, "take">;
  /** Milliseconds between two rounds. @default {60000} */
  readonly interval?: number;
}

/** Cleans up each minute, one server at a time. Disposing gives the lock back. */
export class Cleaner implements AsyncDisposable {
  readonly #options: CleanerOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #lease: Lease | undefined;
  #round = 0;
  /** Sessions whose leases were dead a minute ago. */
  #dead: ReadonlySet<string> = new Set();
  #cleaning: Promise<void> | undefined;

  constructor(options: CleanerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.clean(), options.interval ?? MINUTE);
    Deno.unrefTimer(this.#timer);
  }

  /** Does a round, unless another server does them. Never rejects: what fails is done in the next round. */
  clean(): Promise<void> {
    this.#cleaning ??= this.#clean().finally(() => this.#cleaning = undefined);
    return this.#cleaning;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#cleaning;
    await this.#lease?.release("quit");
  }

  async #clean(): Promise<void> {
    const { database, locks } = this.#options;
    try {
      this.#lease ??= await this.#take(locks);
      if (this.#lease === undefined) return;
      const dead = await deadLeases(database);
      const still = dead.filter((session) => this.#dead.has(session));
      if (still.length > 0) await removeDead(database, still);
      this.#dead = new Set(dead);
      await cleanOften(database);
      if (this.#round++ % SELDOM === 0) await cleanSeldom(database);
    } catch (error) {
      if (!(error instanceof StateStoreError) && !(error instanceof LocksUnavailableError)) {
        throw error;
      }
    }
  }

  async #take(locks: Pick<Locks, "take">): Promise<Lease | undefined> {
    const lease = await locks.take(LOCK, LOCK, { sessions: 1 });
    lease?.onLost(() => this.#lease = undefined);
    return lease;
  }
}
