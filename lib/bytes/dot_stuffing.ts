/** Dot-stuffing and CRLF line ends in plain TypeScript: what the kernel must equal. */

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** What ends a multi-line response (RFC 1939, section 3): a line of one dot. */
export const TERMINATOR: Uint8Array<ArrayBuffer> = Uint8Array.of(DOT, CR, LF);

/**
 * Makes a stored message ready for the wire (RFC 1939, section 3), given in pieces cut anywhere.
 *
 * - an LF without a CR before it becomes CRLF; CRLF stays; a CR elsewhere stays as it is
 * - a line that begins with a dot gets one more; a line begins at the start of the message and after each LF
 * - a last line without an LF gets CRLF, and so does an empty message
 * - nothing else changes
 *
 * The server itself uses `MessageEncoder`, which does the same in WebAssembly; this is its twin, to be read and
 * to be compared with.
 *
 * @example
 * ```ts
 * const stuffer = new DotStuffer();
 * const wire = [stuffer.stuff(new TextEncoder().encode(".one\ntwo")), stuffer.end()]; // "..one\r\ntwo", "\r\n.\r\n"
 * ```
 */
export class DotStuffer {
  /** A message begins as if an LF had been before it. */
  #previous = LF;
  #isEmpty = true;

  /** Returns what goes onto the wire for the next stored octets. */
  stuff(octets: Uint8Array): Uint8Array<ArrayBuffer> {
    const stuffed = new Uint8Array(octets.length * 2);
    let length = 0;
    let previous = this.#previous;
    for (let index = 0; index < octets.length; index++) {
      const octet = octets[index] as number;
      if (octet === LF && previous !== CR) stuffed[length++] = CR;
      else if (octet === DOT && previous === LF) stuffed[length++] = DOT;
      stuffed[length++] = octet;
      previous = octet;
    }
    this.#previous = previous;
    this.#isEmpty &&= octets.length === 0;
    return stuffed.slice(0, length);
  }

  /** Returns the missing last line end, if it is missing, and the terminator; then the next message may begin. */
  end(): Uint8Array<ArrayBuffer> {
    const ended = !this.#isEmpty && this.#previous === LF;
    this.#previous = LF;
    this.#isEmpty = true;
    return ended ? TERMINATOR.slice() : Uint8Array.of(CR, LF, ...TERMINATOR);
  }
}
