/** Finds where TOP's part of a message ends. */

import { findBody, skipLines } from "./kernel/kernel.wasm";
import { isInKernel, kernelView, OUTPUT_SIZE, SCRATCH } from "./kernel_memory.ts";

const LF = 0x0a;

/**
 * Counts stored octets, in pieces cut anywhere, up to the end of what TOP sends (RFC 1939, section 7): the
 * header, the empty line behind it, and a number of lines of the body. An LF ends a line, with or without a CR
 * before it; a CR elsewhere does not.
 *
 * @example
 * ```ts
 * const top = new TopLimit(0);
 * top.take(new TextEncoder().encode("Subject: hi\r\n\r\nBody\r\n")); // 15: header and empty line
 * top.done; // true
 * ```
 */
export class TopLimit {
  /** Lines of the body that are still wanted. */
  #lines: number;
  #inHeader = true;
  /** The header's last two octets; a message begins as if an LF had been before it. */
  #last = LF;
  #beforeLast = 0;
  #done = false;

  /** @param lines how many lines of the body; 0 is header and empty line only */
  constructor(lines: number) {
    this.#lines = lines;
  }

  /** Whether nothing that comes belongs any more. */
  get done(): boolean {
    return this.#done;
  }

  /**
   * Returns how many octets from the beginning of `octets` still belong. Octets that are in the kernel's memory
   * (`MessageEncoder.input`, for one) are not copied; others are, to a place of their own.
   */
  take(octets: Uint8Array): number {
    if (isInKernel(octets)) return this.#take(octets, octets.byteOffset);
    let taken = 0;
    for (let start = 0; start < octets.length && !this.#done; start += OUTPUT_SIZE) {
      const part = octets.subarray(start, start + OUTPUT_SIZE);
      const copy = kernelView(SCRATCH, part.length);
      copy.set(part);
      taken += this.#take(copy, SCRATCH);
    }
    return taken;
  }

  #take(octets: Uint8Array, address: number): number {
    if (this.#done || octets.length === 0) return 0;
    const body = this.#inHeader ? this.#skipHeader(octets, address) : 0;
    if (this.#inHeader) return octets.length;
    return body + this.#skipLines(address + body, octets.length - body);
  }

  /** Returns where the body begins, if it does in these octets; `#inHeader` tells. */
  #skipHeader(octets: Uint8Array, address: number): number {
    const body = findBody(address, octets.length, (this.#last << 8) | this.#beforeLast);
    this.#inHeader = body === 0;
    this.#beforeLast = octets.at(-2) ?? this.#last;
    this.#last = octets.at(-1) as number;
    return body;
  }

  #skipLines(address: number, length: number): number {
    // More lines than octets cannot be reached here, however many more.
    const skipped = this.#lines === 0
      ? 0
      : skipLines(address, length, Math.min(this.#lines, length + 1));
    this.#done = this.#lines === 0 || skipped > 0;
    if (this.#done) return skipped;
    this.#lines += skipped;
    return length;
  }
}
