/** When users last logged in, for `login_delay` (RFC 2449, section 6.5). */

import type { Clock } from "../async/clock.ts";
import type { AttemptStore } from "../contracts/attempt_store.ts";
import { logger } from "../log/logging.ts";

const log = logger("auth");

/** Where logins outlive the process. */
export type LoginTimeStore = Pick<AttemptStore, "isShared" | "lastLogin" | "loggedIn">;

/** Remembers logins for as long as the delay lasts. */
export class LoginTimes {
  readonly #clock: Clock;
  readonly #store: LoginTimeStore | undefined;
  /** Of this run, oldest first: a user who logs in moves to the end. */
  readonly #times = new Map<string, number>();
  #isFailing = false;

  constructor(clock: Clock, store?: LoginTimeStore) {
    this.#clock = clock;
    this.#store = store;
  }

  /**
   * How many whole seconds a user must still wait.
   *
   * @throws {StateStoreError} when that cannot be found out
   */
  async wait(user: string, delaySeconds: number): Promise<number> {
    if (delaySeconds === 0) return 0;
    const known = this.#times.get(user);
    // What this run knows goes by a clock that nobody sets.
    const ago = known === undefined || this.#store?.isShared
      ? await this.#store?.lastLogin(user)
      : undefined;
    const last = Math.max(
      known ?? -Infinity,
      ago === undefined ? -Infinity : this.#clock.monotonic() - ago,
    );
    return Math.max(0, Math.ceil((last + delaySeconds * 1000 - this.#clock.monotonic()) / 1000));
  }

  /** Notes a login, and forgets those that no longer matter. Never rejects: who could not be noted may log in again after a restart. */
  async note(user: string, delaySeconds: number): Promise<void> {
    if (delaySeconds === 0) return this.#times.clear();
    this.#times.delete(user);
    this.#times.set(user, this.#clock.monotonic());
    for (const [name, at] of this.#times) {
      if (at + delaySeconds * 1000 > this.#clock.monotonic()) break;
      this.#times.delete(name);
    }
    try {
      await this.#store?.loggedIn(user, delaySeconds * 1000);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) log.warn("Times of logins cannot be saved: {error}", { error });
      this.#isFailing = true;
    }
  }
}
