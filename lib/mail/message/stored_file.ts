/** A message's file, opened to be sent: never more octets than were measured, never fewer without an error. */

import {
  MessageChangedError,
  type MessageFile,
  type StoredMessage,
} from "../../contracts/mail_store.ts";
import type { FileLook } from "../folder/file_look.ts";
import type { OpenFile } from "../folder/regular_file.ts";

/** What is known of an open file. */
export interface StoredFileOptions {
  /** Open, at its beginning. It is closed by disposing. */
  readonly file: OpenFile;
  /** The name that it was opened by, an absolute path, and what the file looked like. */
  readonly path: string;
  readonly look: FileLook;
  readonly size: number;
  readonly storedSize: number;
  readonly verbatim: boolean;
  /** Told when it is closed. */
  readonly closed?: () => void;
}

/** A {@linkcode StoredMessage} in a file. */
export class StoredFile implements StoredMessage {
  readonly size: number;
  readonly storedSize: number;
  readonly verbatim: boolean;
  readonly file: MessageFile;
  readonly #file: OpenFile;
  readonly #closed: (() => void) | undefined;
  #left: number;

  constructor(options: StoredFileOptions) {
    this.#file = options.file;
    this.#closed = options.closed;
    this.size = options.size;
    this.storedSize = options.storedSize;
    this.verbatim = options.verbatim;
    this.#left = options.storedSize;
    const { path, look: { device, inode } } = options;
    this.file = { path, device, inode, size: options.storedSize };
  }

  readSync(into: Uint8Array): number | null {
    if (this.#left === 0) return null;
    const octets = this.#file.readSync(
      into.length > this.#left ? into.subarray(0, this.#left) : into,
    );
    if (octets === null) {
      throw new MessageChangedError(
        `The message's file ended ${this.#left} octets before its ${this.storedSize}: another program cut it while it was read.`,
      );
    }
    this.#left -= octets;
    return octets;
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
    this.#closed?.();
  }
}
