/** The keys of the terminal that the program runs in. */

import { type Key, KeyDecoder } from "./keys.ts";

/** Milliseconds after which an ESC is the key and no sequence's beginning. */
const SEQUENCE_TIME = 50;

/** Signals that end the program. */
const ENDING = ["SIGTERM", "SIGHUP", "SIGINT"] as const;
/** The exit status of a program that SIGTERM ended, as shells tell it. */
const ENDED_BY_SIGNAL = 143;

/** A terminal's keys, one by one. The terminal echoes nothing while keys are taken. */
export class Keyboard implements Disposable {
  readonly #decoder = new KeyDecoder();
  readonly #buffer = new Uint8Array(4096);
  #keys: Key[] = [];
  #reading: Promise<number | null> | undefined;
  #raw = false;
  #cleanUp: (() => void) | undefined;
  readonly #end = (): void => {
    this.#cleanUp?.();
    this.release();
    Deno.exit(ENDED_BY_SIGNAL);
  };

  /**
   * Begins to take keys one by one, Ctrl-C among them. A signal that ends the program gives the terminal back first.
   *
   * @param cleanUp what else is to be done then
   */
  take(cleanUp?: () => void): void {
    this.#cleanUp = cleanUp;
    if (this.#raw) return;
    Deno.stdin.setRaw(true);
    this.#raw = true;
    for (const signal of ENDING) Deno.addSignalListener(signal, this.#end);
  }

  /** Gives the terminal back as it was: lines, echo, Ctrl-C as a signal. */
  release(): void {
    if (!this.#raw) return;
    Deno.stdin.setRaw(false);
    this.#raw = false;
    this.#cleanUp = undefined;
    for (const signal of ENDING) Deno.removeSignalListener(signal, this.#end);
  }

  /**
   * The next key.
   *
   * @param signal ends the wait; what is pressed later is not lost
   * @returns undefined when the terminal is gone, or the signal is aborted
   */
  async next(signal?: AbortSignal): Promise<Key | undefined> {
    for (;;) {
      const key = this.#keys.shift();
      if (key !== undefined) return key;
      if (signal?.aborted) return undefined;
      const count = await this.#read(signal);
      if (count === "late") this.#keys.push(...this.#decoder.settle());
      else if (count === null || count === "aborted") return undefined;
      else this.#keys.push(...this.#decoder.feed(this.#buffer.slice(0, count)));
    }
  }

  [Symbol.dispose](): void {
    this.release();
  }

  /** Waits for octets. A read that has begun cannot be taken back, so it stays for the next call. */
  async #read(signal: AbortSignal | undefined): Promise<number | null | "late" | "aborted"> {
    this.#reading ??= Deno.stdin.read(this.#buffer);
    const { promise, resolve } = Promise.withResolvers<"late" | "aborted">();
    const timer = this.#decoder.undecided
      ? setTimeout(() => resolve("late"), SEQUENCE_TIME)
      : undefined;
    const onAbort = (): void => resolve("aborted");
    signal?.addEventListener("abort", onAbort);
    try {
      const outcome = await Promise.race([this.#reading, promise]);
      if (typeof outcome !== "string") this.#reading = undefined;
      return outcome;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }
}
