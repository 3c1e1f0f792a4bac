/** Splits what a client sends into lines, none of them longer than a limit. */

const LF = 0x0a;
const CR = 0x0d;
const NOTHING = new Uint8Array(0);

/** A line without its line end, or what stands for one that was longer than the limit and thrown away. */
export type Line = Uint8Array | "too-long";

/**
 * Collects a client's octets and gives them back line by line. A line ends with CRLF or a bare LF (a CR
 * elsewhere belongs to the line). A line longer than {@linkcode LineBuffer.limit} is thrown away up to its end
 * and told once, so that memory stays bounded however long it is; between lines nothing is held.
 *
 * Push more only when no line waits ({@linkcode LineBuffer.hasLine}): complete lines are kept until they are
 * taken.
 *
 * @example
 * ```ts
 * const lines = new LineBuffer(255);
 * lines.push(new TextEncoder().encode("NOOP\r\nQU"));
 * lines.next(); // "NOOP" as octets
 * lines.next(); // undefined: QUIT is not whole yet
 * ```
 */
export class LineBuffer {
  /**
   * Octets of the longest line, its line end counted (RFC 2449, section 4: 255). Asked when a line is taken,
   * and, of a line that has no end yet, when octets come in; so a reply that wants a longer line (SASL) raises
   * it before it takes that line.
   */
  limit: number;
  /** Unread octets lie from `#start` to `#stop`; what is beyond is zero. */
  #octets = NOTHING;
  #start = 0;
  #stop = 0;
  /** Index of the first unread LF, or -1 where there is none. */
  #lineEnd = -1;
  /** Inside an over-long line, whose octets are thrown away until its LF. */
  #discarding = false;
  /** Over-long lines that have ended and were not told yet. They stand before everything in `#octets`. */
  #tooLong = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Whether another complete line waits, be it an over-long one. */
  get hasLine(): boolean {
    return this.#tooLong > 0 || this.#lineEnd >= 0;
  }

  /** Octets that are held and were not taken yet, line ends counted. */
  get pending(): number {
    return this.#stop - this.#start;
  }

  /** Adds what came from the client; `octets` may be reused at once. */
  push(octets: Uint8Array): void {
    if (this.#discarding) {
      const end = octets.indexOf(LF);
      if (end < 0) return;
      this.#discarding = false;
      this.#tooLong++;
      octets = octets.subarray(end + 1);
    }
    if (octets.length === 0) return;
    const searched = this.#stop - this.#start;
    this.#append(octets);
    if (this.#lineEnd < 0) this.#lineEnd = this.#octets.indexOf(LF, this.#start + searched);
    this.#discardEndless();
  }

  /**
   * Takes the next line.
   *
   * @returns the line without its line end; or `"too-long"`, once, for a line that was thrown away; or
   *   undefined where no complete line waits
   */
  next(): Line | undefined {
    if (this.#tooLong > 0) {
      this.#tooLong--;
      return "too-long";
    }
    const start = this.#start;
    const end = this.#lineEnd;
    if (end < 0) {
      this.#discardEndless();
      return undefined;
    }
    const fits = end + 1 - start <= this.limit;
    const stop = end > start && this.#octets[end - 1] === CR ? end - 1 : end;
    const line = fits ? this.#octets.slice(start, stop) : "too-long";
    this.#start = end + 1;
    this.#lineEnd = this.#octets.indexOf(LF, end + 1);
    if (this.#lineEnd < 0) this.#compact();
    return line;
  }

  /**
   * Forgets everything, complete lines too: what came in clear before STLS must not count (RFC 2595, section
   * 4).
   */
  clear(): void {
    this.#octets = NOTHING;
    this.#start = this.#stop = 0;
    this.#lineEnd = -1;
    this.#discarding = false;
    this.#tooLong = 0;
  }

  #append(octets: Uint8Array): void {
    const held = this.#stop - this.#start;
    if (held === 0) {
      this.#octets = octets.slice();
      this.#start = 0;
      this.#stop = octets.length;
      return;
    }
    if (this.#stop + octets.length > this.#octets.length) {
      const wanted = held + octets.length;
      // Half as much again, so that a line that comes octet by octet is not copied once for each.
      const grown = new Uint8Array(wanted + (wanted >> 1));
      grown.set(this.#octets.subarray(this.#start, this.#stop));
      if (this.#lineEnd >= 0) this.#lineEnd -= this.#start;
      this.#octets = grown;
      this.#start = 0;
      this.#stop = held;
    }
    this.#octets.set(octets, this.#stop);
    this.#stop += octets.length;
  }

  /** Throws away a line that has no end yet and cannot fit any more. */
  #discardEndless(): void {
    if (this.#lineEnd >= 0 || this.#stop - this.#start < this.limit) return;
    this.#octets = NOTHING;
    this.#start = this.#stop = 0;
    this.#discarding = true;
  }

  /** Lets go of a big buffer once only the beginning of a line is left in it. */
  #compact(): void {
    const held = this.#stop - this.#start;
    this.#octets = held === 0 ? NOTHING : this.#octets.slice(this.#start, this.#stop);
    this.#start = 0;
    this.#stop = held;
  }
}
