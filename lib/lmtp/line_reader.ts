/** Reads an LMTP client: lines before DATA, octets after it, from one buffer, so that nothing sent ahead is lost. */

const LF = 0x0a;
const CR = 0x0d;
const READ_OCTETS = 64 * 1024;
/** Octets of a command line (RFC 5321, section 4.5.3.1.4, with room for parameters). */
const MOST_LINE = 4096;

/** The client's end. */
export interface Source {
  read(into: Uint8Array): Promise<number | null>;
}

/** A line; `too-long` for one that was thrown away; undefined when the client has left. */
export type ClientLine = string | "too-long" | undefined;

/** Reads from a connection. */
export class LineReader {
  readonly #source: Source;
  readonly #buffer = new Uint8Array(READ_OCTETS);
  #start = 0;
  #end = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Whether another whole line has come already: its answer may leave with this one's (RFC 2920). */
  get hasLine(): boolean {
    return this.#buffer.subarray(this.#start, this.#end).includes(LF);
  }

  /** The next line without its end; a bare LF ends one, too. */
  async line(): Promise<ClientLine> {
    let discarding = false;
    for (;;) {
      const end = this.#buffer.subarray(this.#start, this.#end).indexOf(LF);
      if (end >= 0) {
        const line = this.#buffer.subarray(this.#start, this.#start + end);
        const text = new TextDecoder().decode(line.at(-1) === CR ? line.subarray(0, -1) : line);
        this.#start += end + 1;
        return discarding || end > MOST_LINE ? "too-long" : text;
      }
      if (this.#end - this.#start > MOST_LINE) {
        discarding = true;
        this.#start = this.#end = 0;
      }
      if (!await this.#fill()) return undefined;
    }
  }

  /** What has come, at least an octet; undefined when the client has left. Good until the next call. */
  async octets(): Promise<Uint8Array | undefined> {
    if (this.#start === this.#end && !await this.#fill()) return undefined;
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Takes so many of {@linkcode LineReader.octets}. */
  take(count: number): void {
    this.#start += count;
  }

  async #fill(): Promise<boolean> {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    const count = await this.#source.read(this.#buffer.subarray(this.#end));
    if (count === null || count === 0) return false;
    this.#end += count;
    return true;
  }
}
