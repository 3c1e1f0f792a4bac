/** Log lines in a file that is rotated by size. */

import { fileErrorReason } from "../files/file_error.ts";
import type { LogOutput } from "./log_output.ts";

/** How a log file is bounded. */
export interface FileOutputOptions {
  /** Octets after which a new file is begun. @default {16777216} */
  readonly maxOctets?: number;
  /** How many old files are kept, as `FILE.1` (the newest) and so on. @default {5} */
  readonly keep?: number;
  /** What it is called, and the flag that names it. @default {{ title: "log", flag: "--log-file" }} */
  readonly names?: { readonly title: string; readonly flag: string };
  /** Told when the file cannot be written, and when it can be again. */
  readonly complain?: (text: string) => void;
}

/** The log file cannot be opened; the message is a sentence that names it. */
export class LogFileError extends Error {
  override name = "LogFileError";
}

/** Lines in a file; each is written at once, so that a kill loses none. */
export class FileOutput implements LogOutput {
  readonly #path: string;
  readonly #maxOctets: number;
  readonly #keep: number;
  readonly #names: { readonly title: string; readonly flag: string };
  readonly #complain: (text: string) => void;
  readonly #encoder = new TextEncoder();
  #file: Deno.FsFile | undefined;
  #size = 0;
  #rotateAt = Infinity;
  #lost = 0;
  /** Whether the file ends within a line, since the disk took no more of it. */
  #torn = false;

  /** @throws {LogFileError} when the file cannot be opened for appending */
  constructor(path: string, options: FileOutputOptions = {}) {
    this.#path = path;
    this.#maxOctets = options.maxOctets ?? 16 * 1024 * 1024;
    this.#keep = options.keep ?? 5;
    this.#names = options.names ?? { title: "log", flag: "--log-file" };
    this.#complain = options.complain ?? (() => {});
    this.#open();
  }

  write(line: string): void {
    try {
      if (this.#file === undefined) this.#open();
      const bytes = this.#encoder.encode(this.#torn ? `\n${line}` : line);
      if (this.#size > 0 && this.#size + bytes.length > this.#rotateAt) this.#rotate();
      this.#append(bytes);
      if (this.#lost > 0) {
        this.#complain(
          `The ${this.#names.title} file ${this.#path} can be written again; ${this.#lost} lines were lost.`,
        );
        this.#lost = 0;
      }
    } catch (error) {
      if (this.#lost++ === 0) {
        this.#complain(`The ${this.#names.title} is not written: ${fileErrorReason(error)}`);
      }
    }
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  flushSync(): void {}

  reopen(): void {
    try {
      this.#close();
      this.#open();
    } catch (error) {
      this.#complain(`The ${this.#names.title} is not written: ${fileErrorReason(error)}`);
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
      this.#torn = done < bytes.length;
    }
  }

  #open(): void {
    try {
      // Opening a pipe for writing would wait for its reader.
      if (isPipe(this.#path)) throw new TypeError("it is a named pipe; a file was expected");
      this.#file = Deno.openSync(this.#path, { append: true, create: true, mode: 0o640 });
    } catch (error) {
      throw new LogFileError(
        `The ${this.#names.title} file ${this.#path} cannot be opened: ${
          fileErrorReason(error)
        }. Name another one with ${this.#names.flag}`,
        { cause: error },
      );
    }
    const info = this.#file.statSync();
    this.#size = info.size;
    if (info.size === 0) this.#torn = false;
    this.#rotateAt = info.isFile ? this.#maxOctets : Infinity;
  }

  #close(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.close();
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
        `The ${this.#names.title} file ${this.#path} cannot be rotated and grows on: ${
          fileErrorReason(error)
        }`,
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
