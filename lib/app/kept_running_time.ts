/** Keeps the server's running time in the state, so that it goes on after a restart, and tells when the wall clock jumps. */

import { type Clock, systemClock } from "../async/clock.ts";
import type { RunningMoment, RunningTime } from "../async/running_time.ts";
import { logger } from "../log/logging.ts";
import type { Installation } from "../contracts/state_store.ts";

const log = logger("clock");

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The longest pause between two runs that counts as passed time: the wall clock alone tells of it, and may be wrong. */
const LONGEST_PAUSE = DAY;
/** How far the wall clock may go back between two runs without a warning: an hour of local time taken for UTC, and a little. */
const STEP_BACK = HOUR + 5 * MINUTE;
/** Octets of a name for a count that did not exist before. */
const ID_OCTETS = 8;

/** What running time is kept with. */
export interface KeptRunningTimeOptions {
  readonly installation: Pick<Installation, "runningTime" | "keepRunningTime">;
  /** @default {systemClock} */
  readonly clock?: Clock;
  /** Milliseconds between two savings. @default {60000} */
  readonly interval?: number;
}

/** The running time of this server. Disposing keeps it for the last time. */
export class KeptRunningTime implements RunningTime, AsyncDisposable {
  readonly id: string;
  readonly #options: KeptRunningTimeOptions;
  readonly #clock: Clock;
  readonly #before: number;
  readonly #begun: number;
  readonly #timer: ReturnType<typeof setInterval>;
  /** By how much the wall clock was ahead of the monotonic one when it was last looked at. */
  #offset: number;
  #isFailing = false;
  #keeping: Promise<void> = Promise.resolve();

  private constructor(options: KeptRunningTimeOptions, { id, at }: RunningMoment) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.id = id;
    this.#before = at;
    this.#begun = this.#clock.monotonic();
    this.#offset = this.#clock.wall() - this.#begun;
    this.#timer = setInterval(() => this.tick(), options.interval ?? MINUTE);
    Deno.unrefTimer(this.#timer);
  }

  /**
   * Goes on from where the last run ended; a pause counts by the wall clock if it was a day at most.
   *
   * @throws {Error} when the state cannot be read or written
   */
  static async open(options: KeptRunningTimeOptions): Promise<KeptRunningTime> {
    const { installation, clock = systemClock } = options;
    const kept = await installation.runningTime();
    const time = new KeptRunningTime(
      options,
      kept === undefined
        ? { id: crypto.getRandomValues(new Uint8Array(ID_OCTETS)).toHex(), at: 1 }
        : { id: kept.id, at: kept.running + countedPause(clock.wall() - kept.wall) },
    );
    try {
      // At once: what is written with a new count's name must find it again.
      await time.keep();
    } catch (error) {
      clearInterval(time.#timer);
      throw error;
    }
    return time;
  }

  now(): number {
    return this.#before + this.#clock.monotonic() - this.#begun;
  }

  /** This moment, for another thread to count on from. */
  moment(): RunningMoment {
    return { id: this.id, at: this.now() };
  }

  /** Looks at the wall clock, and keeps the time. Settles when it is kept, or has failed, which the log says once. */
  tick(): Promise<void> {
    const offset = this.#clock.wall() - this.#clock.monotonic();
    const jump = offset - this.#offset;
    this.#offset = offset;
    if (Math.abs(jump) > DAY) {
      log.warn(
        "The wall clock was set {jump}, or the machine slept. Days of expire, bans and login delays go by the time that has passed.",
        { jump: `${inWords(jump)} ${jump > 0 ? "ahead" : "back"}` },
      );
    }
    this.#keeping = this.#keeping.then(() => this.keep()).then(() => {
      this.#isFailing = false;
    }, (error) => {
      if (!this.#isFailing) log.warn("The running time cannot be kept: {error}", { error });
      this.#isFailing = true;
    });
    return this.#keeping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.tick();
  }

  /** Keeps it now. @throws {StateStoreError} when the state cannot be written */
  keep(): Promise<void> {
    const { id } = this;
    return this.#options.installation.keepRunningTime({
      id,
      running: this.now(),
      wall: this.#clock.wall(),
    });
  }
}

/** Milliseconds of a pause between two runs that count, told by the wall clock. */
function countedPause(pause: number): number {
  if (pause >= 0 && pause <= LONGEST_PAUSE) return pause;
  if (pause > 0 || pause < -STEP_BACK) {
    log.warn(
      "The wall clock is {jump} the end of the last run. This time does not count towards days of expire and of the access log. " +
        "If the clock is wrong, set it.",
      { jump: `${inWords(pause)} ${pause > 0 ? "ahead of" : "behind"}` },
    );
  }
  return 0;
}

/** A length of time for people: `365.0 days`, `3.0 hours`. */
function inWords(milliseconds: number): string {
  const length = Math.abs(milliseconds);
  return length >= DAY
    ? `${(length / DAY).toFixed(1)} days`
    : `${(length / HOUR).toFixed(1)} hours`;
}
