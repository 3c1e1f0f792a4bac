/** Daily job: deletes expired messages of users who have not logged in, and what deliveries left in tmp/; also when `expire` changes. */

import { delay } from "../async/delay.ts";
import type { UserRecord } from "../contracts/user_record.ts";
import type { Lease } from "../contracts/login_service.ts";
import type { MailStore } from "../contracts/mail_store.ts";
import { logger } from "../log/logging.ts";
import { type Locks, LocksUnavailableError } from "../contracts/locks.ts";
import { raiseFence } from "../locks/fence.ts";

const log = logger("mail");

const DAY = 24 * 60 * 60 * 1000;
/** Names the sweep as the holder of a lock; no session is called so. */
const HOLDER = "expiry-sweep";
/** The lock of whoever sweeps; no user's name begins so. */
const SWEEPING = "*sweep";
/** How long, in milliseconds, others have their turn between two users. */
const BREATH_MS = 2;

/** What a sweep works with. */
export interface ExpirySweepOptions {
  /** All users, by their canonical names. */
  readonly users: () => AsyncIterable<string>;
  readonly locks: Locks;
  /** What is known of a user. */
  readonly record: (user: string) => Promise<UserRecord | undefined>;
  /** Removes what lies in a user's trash for too long. */
  readonly trash: (user: string, record: UserRecord | undefined) => Promise<void>;
  /** The store of the settings in force. */
  readonly store: () => MailStore;
  /** Days after its first RETR when a message is removed; 0 for never. */
  readonly days: () => number;
  /** Milliseconds from one sweep to the next. @default {86400000} */
  readonly interval?: number;
}

/** Sweeps in the background from its making on. Disposing waits for the user it is at. */
export class ExpirySweep implements AsyncDisposable {
  readonly #options: ExpirySweepOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #sweeping: Promise<void> | undefined;
  /** Whether another sweep was asked for while one was under way. */
  #again = false;
  #ended = false;

  constructor(options: ExpirySweepOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.sweep(), options.interval ?? DAY);
  }

  /** Begins a sweep. Settles when it, or the one that is under way, is over; never rejects. */
  sweep(): Promise<void> {
    if (this.#sweeping !== undefined) this.#again = true;
    this.#sweeping ??= this.#run().finally(() => this.#sweeping = undefined);
    return this.#sweeping;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  async #run(): Promise<void> {
    do {
      this.#again = false;
      try {
        // Of several servers over one mail folder, one sweeps.
        await using turn = await this.#take(SWEEPING);
        if (turn !== undefined) await this.#sweepAll();
      } catch (error) {
        log.error("Cannot sweep the mailboxes: {error}", { error });
      }
    } while (this.#again && !this.#ended);
  }

  async #sweepAll(): Promise<void> {
    let removed = 0;
    let abandoned = 0;
    for await (const user of this.#options.users()) {
      if (this.#ended) break;
      if (this.#options.days() > 0) removed += await this.#sweepOne(user);
      abandoned += await this.#removeAbandoned(user);
      await this.#sweepTrash(user);
      await delay(BREATH_MS);
    }
    if (removed > 0) log.info("Removed {count} expired messages", { count: removed });
    if (abandoned > 0) {
      log.info("Removed {count} unfinished deliveries from tmp/", { count: abandoned });
    }
  }

  async #sweepTrash(user: string): Promise<void> {
    const { record, trash } = this.#options;
    try {
      await trash(user, await record(user));
    } catch (error) {
      log.warn("Cannot remove old deleted messages of {user}: {error}", { user, error });
    }
  }

  async #removeAbandoned(user: string): Promise<number> {
    try {
      const { record, store } = this.#options;
      return await store().removeAbandoned(user, await record(user));
    } catch (error) {
      log.warn("Cannot remove unfinished deliveries to {user} from tmp/: {error}", { user, error });
      return 0;
    }
  }

  /** Takes a lock; undefined where another has it, or it cannot be had now: the next day's sweep comes by again. */
  #take(name: string): Promise<Lease | undefined> {
    return this.#options.locks.take(name, HOLDER, { sessions: 1 }).catch((error) => {
      if (error instanceof LocksUnavailableError) return undefined;
      throw error;
    });
  }

  /** A user who is here needs no sweep: the login did the same. */
  async #sweepOne(user: string): Promise<number> {
    const { record, store } = this.#options;
    const lease = await this.#take(user);
    if (lease === undefined) return 0;
    try {
      return await store().expire(user, () => raiseFence(lease), await record(user));
    } catch (error) {
      log.warn("Cannot remove expired messages of {user}: {error}", { user, error });
      return 0;
    } finally {
      await lease[Symbol.asyncDispose]();
    }
  }
}
