/** Stored messages that tests make up, and that tell what was done with them. */

import type { StoredMessage } from "../../lib/mail/mail_store.ts";

/** A message in memory; counts what was read and how often it was disposed. */
export class FakeMessage implements StoredMessage {
  readonly size: number;
  readonly storedSize: number;
  readonly verbatim = false;
  taken = 0;
  disposals = 0;
  readonly #octetAt: (index: number) => number;
  readonly #failAt: number;

  /**
   * @param content its octets, or how many there are (each made of its place)
   * @param failAt how many can be read before reading fails
   */
  constructor(content: Uint8Array | string | number, failAt = Infinity) {
    if (typeof content === "string") content = new TextEncoder().encode(content);
    this.storedSize = typeof content === "number" ? content : content.length;
    this.size = this.storedSize;
    const octets = content;
    this.#octetAt = typeof octets === "number" ? patternAt : (index) => octets[index] ?? 0;
    this.#failAt = failAt;
  }

  readSync(into: Uint8Array): number | null {
    if (this.disposals > 0) throw new Error("the message was read after it was disposed");
    if (this.taken >= this.#failAt) throw new Error("the disk is on fire");
    const end = Math.min(this.storedSize, this.#failAt);
    if (this.taken >= end) return null;
    const octets = Math.min(into.length, end - this.taken);
    for (let index = 0; index < octets; index++) into[index] = this.#octetAt(this.taken + index);
    this.taken += octets;
    return octets;
  }

  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    throw new Error("a message is read by one of the two ways, and here by readSync");
  }

  [Symbol.dispose](): void {
    this.disposals++;
  }
}

/** The octet at a place of a message of which only the length was given. */
export function patternAt(index: number): number {
  return (index * 31 + (index >> 8)) & 0xff;
}
