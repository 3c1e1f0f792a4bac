/** Answers on their way to the socket, gathered so that they leave in few writes. */

import { OUTPUT_OCTETS } from "./limits.ts";

const FIRST_OCTETS = 1024;
const encoder = new TextEncoder();
const EMPTY = new Uint8Array(0);

/** Gathers answers' octets. Holds no memory while it is empty, so an idle session costs nothing here. */
export class OutputBuffer {
  #octets: Uint8Array = EMPTY;
  #length = 0;

  /** How many octets are waiting. */
  get length(): number {
    return this.#length;
  }

  /** Whether so much is waiting that it must leave before more is added. */
  get full(): boolean {
    return this.#length >= OUTPUT_OCTETS;
  }

  /** Adds a text in UTF-8, and CRLF. */
  line(text: string): void {
    // A UTF-16 unit makes at most three octets.
    this.#reserve(text.length * 3 + 2);
    this.#length += encoder.encodeInto(text, this.#octets.subarray(this.#length)).written;
    this.#octets[this.#length++] = 0x0d;
    this.#octets[this.#length++] = 0x0a;
  }

  /** Adds octets. */
  append(octets: Uint8Array): void {
    this.#reserve(octets.length);
    this.#octets.set(octets, this.#length);
    this.#length += octets.length;
  }

  /** Gives away what is waiting and begins anew. */
  take(): Uint8Array {
    const octets = this.#octets.subarray(0, this.#length);
    this.#octets = EMPTY;
    this.#length = 0;
    return octets;
  }

  #reserve(octets: number): void {
    const needed = this.#length + octets;
    if (needed <= this.#octets.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#octets.length * 2, FIRST_OCTETS));
    grown.set(this.#octets.subarray(0, this.#length));
    this.#octets = grown;
  }
}
