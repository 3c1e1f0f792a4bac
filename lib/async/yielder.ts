/** Shares a thread between long work and everything else: sockets, timers, other sessions. */

/** Milliseconds of work between two pauses of a thread: what other sessions wait at most, but for what one step takes. */
const SLICE_MS = 10;
/** By how many milliseconds a timer of 0 may be late before the thread counts as busy until then. */
const ON_TIME_MS = 3;

/** How many promises deep a piece of work resumes: so many turns of the queue it is left before the next one is let on. */
const PROMISES = 8;

/** Work that a {@linkcode Yielder} interrupts. */
export interface YieldingTask {
  /** Whether it is time to await {@linkcode YieldingTask.pause}. Reads a clock (0.15 µs): loops with shorter steps ask every hundredth step. */
  due(): boolean;
  /**
   * Lets everything else of the thread run.
   *
   * @throws the signal's reason, when the work is no longer wanted
   * @throws {DOMException} named `TimeoutError`, when the deadline has passed
   */
  pause(): Promise<void>;
}

/**
 * Gives all long work of a thread one slice of time after another, with a gap in between in which the event loop sleeps: only then does the
 * runtime look at its sockets (docs/decisions/0091). One instance serves a whole thread. If each piece of work had its own slices, ten of them would
 * make everybody wait ten times as long.
 */
export class Yielder implements YieldingTask {
  readonly #slice: number;
  /** Resumes those that pause, the one that waits longest first. */
  readonly #paused: (() => void)[] = [];
  /** Whether the event loop has gone round since the present slice began; then nobody uses it any more. */
  #isOver = true;
  #ends = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerSet = 0;
  /** Whether the timer was late and was set once more. */
  #isRepeated = false;

  /** @param slice milliseconds of work between two pauses */
  constructor(slice: number = SLICE_MS) {
    this.#slice = slice;
  }

  /**
   * Makes a piece of work.
   *
   * @param signal ends it at its next pause
   * @param deadline by `performance.now()`: when it has passed, the next pause ends the work
   */
  task(signal?: AbortSignal, deadline = Infinity): YieldingTask {
    return {
      due: () => this.due(),
      pause: async () => {
        signal?.throwIfAborted();
        await this.pause();
        signal?.throwIfAborted();
        if (performance.now() > deadline) throw new DOMException("Time is over", "TimeoutError");
      },
    };
  }

  /** Whether the thread's slice is used up, so that whoever works is to await {@linkcode pause}. Begins one where there is none. */
  due(): boolean {
    const now = performance.now();
    if (this.#isOver) this.#begin(now);
    return now >= this.#ends;
  }

  /** Lets everything else of the thread run, and others who pause. */
  pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#paused.push(resolve);
    this.#arm();
    return promise;
  }

  #begin(now: number): void {
    this.#isOver = false;
    this.#ends = now + this.#slice;
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    this.#timerSet = performance.now();
    this.#timer = setTimeout(() => this.#turn(), 0);
  }

  #turn(): void {
    this.#timer = undefined;
    const now = performance.now();
    // A timer that ran out during the slice fires right behind it, before the event loop sleeps: another one is waited for.
    if (this.#paused.length > 0 && !this.#isRepeated && now - this.#timerSet > ON_TIME_MS) {
      this.#isRepeated = true;
      return this.#arm();
    }
    this.#isRepeated = false;
    this.#isOver = true;
    if (this.#paused.length > 0) void this.#resume(now);
  }

  /** Lets those that pause work one after another, each until it waits, as long as the slice lasts. */
  async #resume(now: number): Promise<void> {
    this.#begin(now);
    do {
      this.#paused.shift()!();
      for (let promise = 0; promise < PROMISES; promise++) await undefined;
    } while (this.#paused.length > 0 && performance.now() < this.#ends);
  }
}
