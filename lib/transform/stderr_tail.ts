/** Keeps the beginning of what a program says on its standard error, and lets the rest go by. */

import { printable } from "../bytes/printable.ts";

/** Octets that are kept. */
const KEPT = 1024;
/** Octets a read: small, since this is not where the mail flows. */
const CHUNK = 16 * 1024;

/** A program's standard error, read until it ends so that a flood can block nobody. */
export class StderrTail {
  readonly #reader: ReadableStreamBYOBReader;
  readonly #kept = new Uint8Array(KEPT);
  #length = 0;

  constructor(stderr: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stderr.getReader({ mode: "byob" });
  }

  /** The first KiB on one line, made printable. */
  get text(): string {
    const text = new TextDecoder().decode(this.#kept.subarray(0, this.#length));
    return printable(text.trim().replaceAll(/\s*\n\s*/g, "; "), KEPT);
  }

  /** Reads until the stream ends or {@linkcode StderrTail.stop} is called. */
  async start(): Promise<void> {
    let buffer = new Uint8Array(CHUNK);
    while (true) {
      const { value, done } = await this.#reader.read(buffer);
      if (done) return;
      const wanted = value.subarray(0, KEPT - this.#length);
      this.#kept.set(wanted, this.#length);
      this.#length += wanted.length;
      buffer = new Uint8Array(value.buffer);
    }
  }

  /** Closes the stream, whoever holds its other end. */
  async stop(): Promise<void> {
    await this.#reader.cancel();
  }
}
