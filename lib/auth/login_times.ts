/** When users last logged in, for `login_delay` (RFC 2449, section 6.5). */

import type { Clock } from "../async/clock.ts";

/** Remembers logins for as long as the delay lasts. */
export class LoginTimes {
  readonly #clock: Clock;
  /** Oldest first: a user who logs in moves to the end. */
  readonly #times = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many whole seconds a user must still wait. */
  wait(user: string, delaySeconds: number): number {
    const last = this.#times.get(user);
    if (last === undefined || delaySeconds === 0) return 0;
    return Math.max(0, Math.ceil((last + delaySeconds * 1000 - this.#clock.monotonic()) / 1000));
  }

  /** Notes a login, and forgets those that no longer matter. */
  note(user: string, delaySeconds: number): void {
    if (delaySeconds === 0) return this.#times.clear();
    this.#times.delete(user);
    this.#times.set(user, this.#clock.monotonic());
    for (const [name, at] of this.#times) {
      if (at + delaySeconds * 1000 > this.#clock.monotonic()) break;
      this.#times.delete(name);
    }
  }
}
