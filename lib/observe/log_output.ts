/** Where log lines go: standard error through a bounded queue, or a file that is rotated by size. */

import { writeSync } from "node:fs";

/** Takes whole lines; never throws, never waits. */
export interface LogOutput extends Disposable {
  /** Takes one line with its line feed. */
  write(line: string): void;
  /** Resolves when everything that was written before has been handed to the system, or cannot be. */
  flush(): Promise<void>;
  /** Hands over what it still has without an event loop; for the moment before the process ends. */
  flushSync(): void;
  /** Opens its file anew, after somebody else has moved it away. */
  reopen(): void;
}

/** What a queue of lines writes to. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<number>;
  writeSync(bytes: Uint8Array): number;
}

/** Octets that wait for a reader of standard error who does not read; more are dropped and counted. */
const MOST_WAITING = 1024 * 1024;
/** Octets that are handed over at once. */
const CHUNK = 64 * 1024;
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
  readonly #now: () => number;
  readonly #encoder = new TextEncoder();
  #waiting: Uint8Array[] = [];
  #octets = 0;
  #lost = 0;
  #pump: Promise<void> | undefined;
  #handedOver = 0;

  constructor(sink: ByteSink = standardError(), now: () => number = Date.now) {
    this.#sink = sink;
    this.#now = now;
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
    if (this.#pump !== undefined) {
      if (this.#now() - this.#handedOver > STUCK) return;
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
    while (this.#waiting.length > 0) {
      const chunk = this.#take(CHUNK);
      this.#handedOver = this.#now();
      try {
        for (let done = 0; done < chunk.length;) {
          done += await this.#sink.write(chunk.subarray(done));
        }
      } catch {
        // Standard error is gone (its reader closed the pipe); there is no other place to say so.
        this.#lost++;
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

/** How a log file is bounded. */
export interface FileOutputOptions {
  /** Octets after which a new file is begun. @default {16777216} */
  readonly maxOctets?: number;
  /** How many old files are kept, as `FILE.1` (the newest) and so on. @default {5} */
  readonly keep?: number;
  /** Told when the file cannot be written, and when it can be again. */
  readonly complain?: (text: string) => void;
}

/** Lines in a file; each is written at once, so that a kill loses none. */
export class FileOutput implements LogOutput {
  readonly #path: string;
  readonly #maxOctets: number;
  readonly #keep: number;
  readonly #complain: (text: string) => void;
  readonly #encoder = new TextEncoder();
  #file: Deno.FsFile | undefined;
  #size = 0;
  #rotateAt = Infinity;
  #lost = 0;

  /** @throws {Error} with a sentence when the file cannot be opened for appending */
  constructor(path: string, options: FileOutputOptions = {}) {
    this.#path = path;
    this.#maxOctets = options.maxOctets ?? 16 * 1024 * 1024;
    this.#keep = options.keep ?? 5;
    this.#complain = options.complain ?? (() => {});
    this.#open();
  }

  write(line: string): void {
    const bytes = this.#encoder.encode(line);
    try {
      if (this.#file === undefined) this.#open();
      if (this.#size > 0 && this.#size + bytes.length > this.#rotateAt) this.#rotate();
      this.#append(bytes);
      if (this.#lost > 0) {
        this.#complain(
          `The log file ${this.#path} can be written again; ${this.#lost} lines were lost.`,
        );
        this.#lost = 0;
      }
    } catch (error) {
      if (this.#lost++ === 0) this.#complain(`The log is not written: ${sentence(error)}`);
    }
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  flushSync(): void {}

  reopen(): void {
    this.#close();
    try {
      this.#open();
    } catch (error) {
      this.#complain(`The log is not written: ${sentence(error)}`);
    }
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #append(bytes: Uint8Array): void {
    const file = this.#file;
    if (file === undefined) return;
    for (let done = 0; done < bytes.length;) {
      const n = file.writeSync(bytes.subarray(done));
      done += n;
      this.#size += n;
    }
  }

  #open(): void {
    try {
      // Opening a pipe for writing would wait for its reader.
      if (isPipe(this.#path)) throw new TypeError("it is a named pipe; a file was expected");
      this.#file = Deno.openSync(this.#path, { append: true, create: true, mode: 0o640 });
    } catch (error) {
      throw new Error(`The log file ${this.#path} cannot be opened: ${sentence(error)}`, {
        cause: error,
      });
    }
    const info = this.#file.statSync();
    this.#size = info.size;
    this.#rotateAt = info.isFile ? this.#maxOctets : Infinity;
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #rotate(): void {
    this.#close();
    try {
      for (let n = this.#keep; n > 0; n--) {
        const from = n === 1 ? this.#path : `${this.#path}.${n - 1}`;
        renameIfThere(from, `${this.#path}.${n}`);
      }
      if (this.#keep === 0) Deno.removeSync(this.#path);
      this.#open();
    } catch (error) {
      this.#complain(
        `The log file ${this.#path} cannot be rotated and grows on: ${sentence(error)}`,
      );
      this.#open();
      this.#rotateAt = this.#size + this.#maxOctets;
    }
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function isPipe(path: string): boolean {
  try {
    return Deno.statSync(path).isFifo === true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
