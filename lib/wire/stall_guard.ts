/** Waiting for the client with an end to the patience. */

import { type Clock, systemClock } from "../async/clock.ts";
import type { CloseReason } from "../contracts/event.ts";

/** A connection that broke, or was closed, while something was read or written. */
export class ConnectionLostError extends Error {
  override name = "ConnectionLostError";
}

/** How often waits are looked at, in milliseconds: that much later than its patience may a wait end. */
const LOOK_MS = 250;

/** Something that waits, and must not wait for ever. */
export interface Waiting {
  /** Ends a wait that has lasted too long by now, on the monotonic clock. */
  look(now: number): void;
}

/** Looks at the waits of many connections by one timer: ten thousand idle sessions would hold ten thousand. */
export class StallClock {
  readonly #guards = new Set<Waiting>();
  readonly #clock: Clock;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Milliseconds on the clock that waits are measured with. */
  now(): number {
    return this.#clock.monotonic();
  }

  /** Begins to look at somebody's waits. */
  add(guard: Waiting): void {
    this.#guards.add(guard);
    this.#timer ??= setInterval(() => this.look(), LOOK_MS);
  }

  /** Looks at somebody's waits no more. */
  delete(guard: Waiting): void {
    this.#guards.delete(guard);
    if (this.#guards.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Looks at all waits now; the timer does so by itself. */
  look(): void {
    const now = this.now();
    for (const guard of this.#guards) guard.look(now);
  }
}

/** Watches one wait at a time of one connection. */
export class StallGuard implements Waiting {
  readonly #clock: StallClock;
  readonly #stalled: (reason: CloseReason) => void;
  #deadline = Infinity;
  #reason: CloseReason = "idle";

  /** @param stalled told when a wait has lasted too long; it closes the connection, which ends the wait */
  constructor(clock: StallClock, stalled: (reason: CloseReason) => void) {
    this.#clock = clock;
    this.#stalled = stalled;
    clock.add(this);
  }

  /**
   * Waits for something that only the client can bring about.
   *
   * @param milliseconds of patience; 0 waits for ever
   * @param reason what to close with when it is over
   * @param pending a read or write of the connection
   * @throws {ConnectionLostError} when it fails
   */
  async watch<T>(milliseconds: number, reason: CloseReason, pending: Promise<T>): Promise<T> {
    if (milliseconds > 0) {
      this.#deadline = this.#clock.now() + milliseconds;
      this.#reason = reason;
    }
    try {
      return await pending;
    } catch (cause) {
      throw new ConnectionLostError("The connection was lost", { cause });
    } finally {
      this.#deadline = Infinity;
    }
  }

  look(now: number): void {
    if (now < this.#deadline) return;
    this.#deadline = Infinity;
    this.#stalled(this.#reason);
  }

  /** Stops for good. */
  stop(): void {
    this.#clock.delete(this);
  }
}
