/** A message's file, opened to be sent: never more octets than were measured, never fewer without an error. */

import { MessageCutError, type StoredMessage } from "./mail_store.ts";

/** What is known of an open file. */
export interface StoredFileOptions {
  /** Open, at its beginning. It is closed by disposing or by the end of the stream. */
  readonly file: Deno.FsFile;
  readonly size: number;
  readonly storedSize: number;
  readonly verbatim: boolean;
}

/** A {@linkcode StoredMessage} in a file. */
export class StoredFile implements StoredMessage {
  readonly size: number;
  readonly storedSize: number;
  readonly verbatim: boolean;
  readonly #file: Deno.FsFile;
  #left: number;
  #isClosed = false;
  #stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;

  constructor(options: StoredFileOptions) {
    this.#file = options.file;
    this.size = options.size;
    this.storedSize = options.storedSize;
    this.verbatim = options.verbatim;
    this.#left = options.storedSize;
  }

  readSync(into: Uint8Array): number | null {
    if (this.#left === 0) return null;
    const octets = this.#file.readSync(
      into.length > this.#left ? into.subarray(0, this.#left) : into,
    );
    if (octets === null) throw this.#endedEarly();
    this.#left -= octets;
    return octets;
  }

  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#stream ??= this.#bounded(this.#file.readable);
    return this.#stream;
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#file.close();
  }

  /** The file's stream up to what was measured. */
  #bounded(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    const reader = stream.getReader();
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        if (this.#left > 0) {
          const { done, value } = await reader.read();
          if (done) {
            // The file's stream closes the file at its end.
            this.#isClosed = true;
            throw this.#endedEarly();
          }
          const part = value.length > this.#left ? value.subarray(0, this.#left) : value;
          this.#left -= part.length;
          controller.enqueue(part);
        }
        if (this.#left > 0) return;
        this[Symbol.dispose]();
        controller.close();
      },
      cancel: () => this[Symbol.dispose](),
    }, { highWaterMark: 0 });
  }

  #endedEarly(): MessageCutError {
    return new MessageCutError(
      `The message's file ended ${this.#left} octets before its ${this.storedSize}: another program cut it while it was read.`,
    );
  }
}
