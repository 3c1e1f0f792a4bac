/** Clocks that stand until a test moves them. */

import type { Clock } from "../../lib/async/clock.ts";
import type { RunningTime } from "../../lib/async/running_time.ts";

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

/** A server's running time, in a test's hands. */
export class TestRunningTime implements RunningTime {
  readonly id: string;
  #now = 1_000_000;

  /** @param id which count it is */
  constructor(id: string = "0123456789abcdef") {
    this.id = id;
  }

  now(): number {
    return this.#now;
  }

  /** Lets time pass. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
