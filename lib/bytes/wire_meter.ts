/** Tells how many octets a stored message has when it is sent. */

import { measure } from "./kernel/kernel.wasm";
import { INPUT, INPUT_OCTETS, INPUT_SIZE } from "./kernel_memory.ts";

const LF = 0x0a;

/** What a message measures. */
export interface WireSize {
  /**
   * Octets that RETR sends, dot-stuffing undone (RFC 1939, section 11): a bare LF counts two, a missing last
   * line end is counted as added, that of an empty message included.
   */
  readonly size: number;
  /** Whether it can be sent as it is stored: CRLF line ends, no line begins with a dot, the last line ended. */
  readonly verbatim: boolean;
}

/**
 * Measures messages, one after the other, in pieces cut anywhere.
 *
 * @example
 * ```ts
 * const meter = new WireMeter();
 * for (let read; (read = file.readSync(meter.input)) !== null;) meter.add(read);
 * const { size, verbatim } = meter.finish();
 * ```
 */
export class WireMeter {
  /**
   * Where the next stored octets are to be put. Shared by all: nothing may be awaited between filling it and
   * {@linkcode add}.
   */
  readonly input: Uint8Array<ArrayBuffer> = INPUT_OCTETS;
  #octets = 0;
  #bareLineEnds = 0;
  #dotted = false;
  #previous = LF;

  /**
   * Counts the first `octets` of {@linkcode input}.
   *
   * @throws {RangeError} when that is more than its length
   */
  add(octets: number): void {
    if (octets === 0) return;
    const last = this.input[octets - 1];
    if (last === undefined) {
      throw new RangeError(`A wire meter was given ${octets} octets where ${INPUT_SIZE} fit.`);
    }
    const found = measure(INPUT, octets, this.#previous);
    this.#octets += octets;
    this.#bareLineEnds += found & 0x7fff_ffff;
    if (found < 0) this.#dotted = true;
    this.#previous = last;
  }

  /** Tells what the message measures, and is ready for the next one. */
  finish(): WireSize {
    const ended = this.#octets > 0 && this.#previous === LF;
    const size = this.#octets + this.#bareLineEnds + (ended ? 0 : 2);
    const verbatim = ended && this.#bareLineEnds === 0 && !this.#dotted;
    this.#octets = this.#bareLineEnds = 0;
    this.#dotted = false;
    this.#previous = LF;
    return { size, verbatim };
  }
}
