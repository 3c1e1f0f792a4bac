/** Finds where TOP's part of a message ends. */

const LF = 0x0a;
const CR = 0x0d;

/**
 * Counts stored octets, in pieces cut anywhere, up to the end of what TOP sends (RFC 1939, section 7): the header, the empty line behind it, and a number of
 * lines of the body. An LF ends a line, with or without a CR before it; a CR elsewhere does not.
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
  /** What the header's present line holds so far: nothing, one CR, or more. */
  #line: "empty" | "cr" | "filled" = "empty";
  #done = false;

  /** @param lines how many lines of the body; 0 is header and empty line only */
  constructor(lines: number) {
    this.#lines = lines;
  }

  /** Whether nothing that comes belongs any more. */
  get done(): boolean {
    return this.#done;
  }

  /** Returns how many octets from the beginning of `octets` still belong. */
  take(octets: Uint8Array): number {
    if (this.#done) return 0;
    const body = this.#inHeader ? this.#skipHeader(octets) : 0;
    if (this.#inHeader) return octets.length;
    return this.#skipLines(octets, body);
  }

  /** Returns where the body begins, if it does in these octets; `#inHeader` tells. */
  #skipHeader(octets: Uint8Array): number {
    let start = 0;
    while (start < octets.length) {
      const end = octets.indexOf(LF, start);
      this.#readLine(octets, start, end < 0 ? octets.length : end);
      if (end < 0) break;
      start = end + 1;
      if (this.#line !== "filled") {
        this.#inHeader = false;
        break;
      }
      this.#line = "empty";
    }
    return start;
  }

  /** Notes what a piece of a header line, its LF excluded, adds to it. */
  #readLine(octets: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    const soleCr = this.#line === "empty" && end - start === 1 && octets[start] === CR;
    this.#line = soleCr ? "cr" : "filled";
  }

  #skipLines(octets: Uint8Array, start: number): number {
    while (this.#lines > 0) {
      const end = octets.indexOf(LF, start);
      if (end < 0) return octets.length;
      this.#lines--;
      start = end + 1;
    }
    this.#done = true;
    return start;
  }
}
