/** Watches over a program's output: how long it may be silent while somebody waits for it. */

import type { Clock } from "./clock.ts";

/**
 * What a silence means. `timeout`: the program runs and says nothing. `left-behind`: the program has ended, but what it forked keeps
 * the output open. `held-open`: the same, still, a grace after `left-behind` was told.
 */
export type Silence = "timeout" | "left-behind" | "held-open";

/** How long what may be silent. */
export interface OutputWatchOptions {
  /** Milliseconds for the program; 0 for ever. */
  readonly timeout: number;
  /** Milliseconds for what it left behind. */
  readonly grace: number;
  readonly clock: Clock;
  readonly silent: (silence: Silence) => void;
  /**
   * Whether somebody waits for the output that was asked for, where it is asked for ahead. Looked at now and then, so that a silence may
   * last an eighth longer before it is told.
   *
   * @default {always}
   */
  readonly wanted?: () => boolean;
}

/** Into how many looks a silence is cut that may not be counted all the time. */
const LOOKS = 8;

/**
 * Counts silence only while output is asked for, so that a slow client is not taken for a slow program. One timer stands for a whole
 * stretch of reads: it looks when it rings whether the latest of them began long enough ago.
 */
export class OutputWatch {
  readonly #options: OutputWatchOptions;
  /** What the next silence will mean; undefined when nothing is watched any more. */
  #next: Silence | undefined = "timeout";
  /** When the read that is pending began. */
  #asked: number | undefined;
  /** When that was last decided. */
  #expected = -Infinity;
  #callOff: (() => void) | undefined;

  constructor(options: OutputWatchOptions) {
    this.#options = options;
  }

  /** Output is asked for. */
  begin(): void {
    this.#asked = this.#options.clock.now();
    if (this.#callOff === undefined) this.#arm(this.#limit());
  }

  /** Output came. */
  finish(): void {
    this.#asked = undefined;
  }

  /** The program has ended. */
  exited(): void {
    if (this.#next === "timeout") this.#expect("left-behind");
  }

  /** Watches nothing any more. */
  stop(): void {
    this.#expect(undefined);
  }

  #expect(silence: Silence | undefined): void {
    this.#next = silence;
    this.#expected = this.#options.clock.now();
    this.#callOff?.();
    this.#callOff = undefined;
    if (this.#asked !== undefined) this.#arm(this.#limit());
  }

  #limit(): number {
    if (this.#next === undefined) return 0;
    return this.#next === "timeout" ? this.#options.timeout : this.#options.grace;
  }

  #arm(milliseconds: number): void {
    if (milliseconds === 0) return;
    const wait = this.#options.wanted === undefined ? milliseconds : this.#limit() / LOOKS;
    this.#callOff = this.#options.clock.after(
      Math.min(milliseconds, Math.max(wait, 1)),
      () => this.#look(),
    );
  }

  #look(): void {
    this.#callOff = undefined;
    const silence = this.#next;
    // The next read sets the timer again.
    if (this.#asked === undefined || silence === undefined) return;
    if (this.#options.wanted?.() === false) this.#asked = this.#options.clock.now();
    const since = silence === "timeout" ? this.#asked : Math.max(this.#asked, this.#expected);
    const left = since + this.#limit() - this.#options.clock.now();
    if (left > 0) {
      // Timers count whole milliseconds; a shorter one would ring at once, again and again.
      this.#arm(Math.max(left, 1));
      return;
    }
    this.#expect(silence === "left-behind" ? "held-open" : undefined);
    this.#options.silent(silence);
  }
}
