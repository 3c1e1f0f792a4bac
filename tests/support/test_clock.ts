/** A clock that stands until a test moves it. */

import type { Clock } from "../../lib/async/clock.ts";

/** Both clocks of a machine, in a test's hands. */
export class TestClock implements Clock {
  #wall: number;
  #monotonic = 5000;

  /** @param wall milliseconds since 1970 */
  constructor(wall: number = Date.parse("2026-01-31T12:00:00Z")) {
    this.#wall = wall;
  }

  wall(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  /** Lets time pass. */
  advance(milliseconds: number): void {
    this.#wall += milliseconds;
    this.#monotonic += milliseconds;
  }

  /** Sets the wall clock, as an administrator or NTP does; no time passes. */
  set(wall: number): void {
    this.#wall = wall;
  }
}
