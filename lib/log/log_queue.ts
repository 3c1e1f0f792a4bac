/** Log lines on standard error, through a bounded queue: a pipe that nobody empties must not stop the server. */

import { type Clock, systemClock } from "../async/clock.ts";
import { writeSync } from "node:fs";
import { delay } from "../async/delay.ts";
import type { LogOutput } from "./log_output.ts";

/** What a queue of lines writes to. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<number>;
  writeSync(bytes: Uint8Array): number;
}

/** Octets that wait for a reader of standard error who does not read; more are dropped and counted. */
const MOST_WAITING = 1024 * 1024;
/** Octets that are handed over at once. */
const CHUNK = 64 * 1024;
/** Milliseconds for which lines gather before they are handed over: a write a line would cost more than all else about the line. */
const GATHER = 10;
/** Milliseconds after which a write that has not ended means that nobody reads. */
const STUCK = 250;

/** The process's standard error. `writeSync` goes by the descriptor, as `Deno.stderr` is busy while a write is under way. */
export function standardError(): ByteSink {
  return {
    write: (bytes) => Deno.stderr.write(bytes),
    writeSync: (bytes) => writeSync(2, bytes),
  };
}

/**
 * Lines on a stream that may be a pipe which nobody empties: they wait in memory, up to 1 MiB, while the server goes on.
 * What did not fit is told by one line when there is room again.
 */
export class QueuedOutput implements LogOutput {
  readonly #sink: ByteSink;
  readonly #clock: Clock;
  readonly #encoder = new TextEncoder();
  #waiting: Uint8Array[] = [];
  #octets = 0;
  #lost = 0;
  #pump: Promise<void> | undefined;
  /** When the write under way began; undefined while lines gather. */
  #handedOver: number | undefined;

  constructor(sink: ByteSink = standardError(), clock: Clock = systemClock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  write(line: string): void {
    const bytes = this.#encoder.encode(line);
    if (this.#octets + bytes.length > MOST_WAITING) {
      this.#lost++;
      return;
    }
    this.#waiting.push(bytes);
    this.#octets += bytes.length;
    this.#pump ??= this.#drain();
  }

  async flush(): Promise<void> {
    while (this.#pump !== undefined) await this.#pump;
  }

  flushSync(): void {
    if (this.#waiting.length === 0) return;
    if (this.#handedOver !== undefined) {
      if (this.#clock.monotonic() - this.#handedOver > STUCK) return;
      // The write under way is done by a thread of its own: let it come first.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
    const rest = this.#take(Infinity);
    let done = 0;
    try {
      while (done < rest.length) done += this.#sink.writeSync(rest.subarray(done));
    } catch {
      // The process ends, and this was the last place where it could have been told.
    }
  }

  reopen(): void {}

  [Symbol.dispose](): void {
    this.flushSync();
  }

  async #drain(): Promise<void> {
    await delay(GATHER);
    while (this.#waiting.length > 0) {
      const chunk = this.#take(CHUNK);
      this.#handedOver = this.#clock.monotonic();
      try {
        for (let done = 0; done < chunk.length;) {
          done += await this.#sink.write(chunk.subarray(done));
        }
      } catch {
        // Standard error is gone (its reader closed the pipe); there is no other place to say so.
        this.#lost++;
      } finally {
        this.#handedOver = undefined;
      }
      if (this.#lost > 0 && this.#octets < MOST_WAITING / 2) this.#tellLost();
    }
    this.#pump = undefined;
  }

  #tellLost(): void {
    const line = this.#encoder.encode(`(${this.#lost} log lines were lost: nobody read them)\n`);
    if (this.#waiting.length === 0) return;
    this.#lost = 0;
    this.#waiting.push(line);
    this.#octets += line.length;
  }

  #take(most: number): Uint8Array {
    let count = 0;
    let octets = 0;
    for (const line of this.#waiting) {
      if (count > 0 && octets + line.length > most) break;
      octets += line.length;
      count++;
    }
    const chunk = new Uint8Array(octets);
    let at = 0;
    for (const line of this.#waiting.splice(0, count)) {
      chunk.set(line, at);
      at += line.length;
    }
    this.#octets -= octets;
    return chunk;
  }
}
