/** Carries a stored message into a program's standard input. */

import type { StoredMessage } from "../mail/mail_store.ts";

/** Octets a write: what a pipe holds on Linux, so that one fills it and more would only lie in memory. */
const CHUNK = 64 * 1024;

/** What a feed tells. */
export interface FeedOptions {
  /** Octets were taken. */
  readonly progress: () => void;
  /** The message could not be read to its end. */
  readonly failed: (error: unknown) => void;
}

/**
 * Writes a message to a program, as fast as the program takes it, and owns both ends: the message is disposed as soon as it has
 * been read. That the program does not take all of it is no failure.
 */
export class Feed {
  readonly #message: StoredMessage;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #options: FeedOptions;
  #stopped = false;
  #disposed = false;

  constructor(
    message: StoredMessage,
    stdin: WritableStream<Uint8Array<ArrayBuffer>>,
    options: FeedOptions,
  ) {
    this.#message = message;
    this.#writer = stdin.getWriter();
    this.#options = options;
  }

  /** Starts writing. Settles when there is nothing more to write, or nobody who takes it. */
  async start(): Promise<void> {
    try {
      await this.#write();
    } catch (error) {
      this.#options.failed(error);
    } finally {
      this.#dispose();
    }
  }

  /** Writes nothing more, and lets go of the message. Standard input stays open: closed, it would say that the message is whole. */
  stop(): void {
    this.#stopped = true;
    this.#dispose();
  }

  /** Closes standard input of a program that has ended. */
  close(): void {
    this.stop();
    // Not waited for: a write that is still under way settles when the last process that holds the pipe is gone.
    this.#writer.abort().catch(() => {/* the pipe was closed already: just what was wanted */});
  }

  async #write(): Promise<void> {
    const buffer = new Uint8Array(CHUNK);
    while (!this.#stopped) {
      const octets = this.#message.readSync(buffer);
      if (octets === null) return await this.#finish();
      // The buffer is ours again when the write has settled.
      if (!await this.#taken(this.#writer.write(buffer.subarray(0, octets)))) return;
      this.#options.progress();
    }
  }

  async #finish(): Promise<void> {
    this.#dispose();
    await this.#taken(this.#writer.close());
  }

  /** Whether the program took it: EPIPE means that it wants no more input, and is no failure of ours. */
  async #taken(writing: Promise<void>): Promise<boolean> {
    try {
      await writing;
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe || this.#stopped) return false;
      throw error;
    }
  }

  #dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#message[Symbol.dispose]();
  }
}
