/** A raw POP3 client for tests: sends what it is told, octet for octet, and reads answers strictly. */

import { SAFETY_NET, within } from "./waiting.ts";
import { unstuffed } from "./awkward_messages.ts";

/** The client's end of a byte stream: a socket, a TLS connection, or one half of a pair in memory. */
export interface ByteStream extends Disposable {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
}

/** Where and how to connect. */
export interface ConnectOptions {
  /** @default "127.0.0.1" */
  readonly hostname?: string;
  readonly port: number;
  /** Milliseconds that any one wait may take, as a safety net. */
  readonly deadline?: number;
}

const LF = 10;
const encoder = new TextEncoder();

/** One session's client side. Every wait ends in a clear failure when the server hangs. */
export class Pop3Client implements Disposable {
  readonly #stream: ByteStream;
  readonly #name: string;
  readonly #deadline: number;
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(4096);
  #start = 0;
  #end = 0;
  #last = "nothing";
  #disposed = false;

  /**
   * @param options.name how failures call this client
   * @param options.deadline milliseconds that any one wait may take
   */
  constructor(stream: ByteStream, options: { name?: string; deadline?: number } = {}) {
    this.#stream = stream;
    this.#name = options.name ?? "client";
    this.#deadline = options.deadline ?? SAFETY_NET;
  }

  /** Connects over TCP, with no-delay. The greeting is not read. */
  static async connect({ port, hostname, deadline }: ConnectOptions): Promise<Pop3Client> {
    const connection = await Deno.connect({ hostname: hostname ?? "127.0.0.1", port });
    connection.setNoDelay(true);
    return new Pop3Client({
      read: (into) => connection.read(into),
      write: (bytes) => connection.write(bytes),
      closeWrite: () => connection.closeWrite(),
      [Symbol.dispose]: () => connection.close(),
    }, deadline === undefined ? {} : { deadline });
  }

  /** Sends octets as they are; nothing is added. */
  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    this.#last = printable(bytes.subarray(0, 80));
    const writing = (async () => {
      let sent = 0;
      while (sent < bytes.length) sent += await this.#stream.write(bytes.subarray(sent));
    })();
    await within(writing, `${this.#name}: writing ${this.#last}`, this.#deadline);
  }

  /** Reads one line, whose CRLF is required and taken off. */
  async line(): Promise<string> {
    return new TextDecoder().decode(await this.rawLine());
  }

  /** Reads one line as octets, without its CRLF. */
  async rawLine(): Promise<Uint8Array<ArrayBuffer>> {
    let from = this.#start;
    while (true) {
      const at = this.#buffer.subarray(0, this.#end).indexOf(LF, from);
      if (at >= 0) {
        const line = this.#buffer.slice(this.#start, at - 1);
        if (at === this.#start || this.#buffer[at - 1] !== 13) {
          throw new Error(`${this.#name}: a line without CR: ${printable(line)}`);
        }
        this.#start = at + 1;
        return line;
      }
      const scanned = this.#end - this.#start;
      if (!(await this.#fill("a line"))) {
        throw new Error(
          `${this.#name}: the connection ended where a line was expected, after ${this.#last}; ` +
            `left: ${printable(this.#buffer.subarray(this.#start, this.#end))}`,
        );
      }
      from = this.#start + scanned;
    }
  }

  /** Sends a line and reads the first line of its answer. */
  async command(line: string): Promise<string> {
    await this.send(`${line}\r\n`);
    return await this.line();
  }

  /** Like {@linkcode command}, and fails unless the answer begins with `+OK`. */
  async ok(line: string): Promise<string> {
    const answer = await this.command(line);
    if (answer !== "+OK" && !answer.startsWith("+OK ")) {
      throw new Error(`${this.#name}: ${printable(encoder.encode(line))} was answered ${answer}`);
    }
    return answer;
  }

  /** Reads the greeting and logs in. Returns the answer to PASS. */
  async login(user: string, password: string): Promise<string> {
    const greeting = await this.line();
    if (!greeting.startsWith("+OK ")) throw new Error(`${this.#name}: greeted with ${greeting}`);
    await this.ok(`USER ${user}`);
    return await this.ok(`PASS ${password}`);
  }

  /** Reads exactly so many octets. */
  async exactly(octets: number): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#end - this.#start < octets) {
      if (!(await this.#fill(`${octets} octets`))) {
        throw new Error(
          `${this.#name}: the connection ended ${this.#end - this.#start} octets into ${octets}`,
        );
      }
    }
    this.#start += octets;
    return this.#buffer.slice(this.#start - octets, this.#start);
  }

  /** Reads a multi-line answer behind its first line, as it was sent: dot-stuffed, terminator included. */
  async multilineSent(): Promise<Uint8Array<ArrayBuffer>> {
    // A terminator stands at the very beginning or behind a line end (RFC 1939, section 3).
    let from = 0;
    let lineStart = true;
    while (true) {
      const bytes = this.#buffer.subarray(this.#start, this.#end);
      while (true) {
        if (lineStart) {
          if (bytes.length - from < 3) break;
          if (bytes[from] === 46 && bytes[from + 1] === 13 && bytes[from + 2] === LF) {
            this.#start += from + 3;
            return bytes.slice(0, from + 3);
          }
        }
        const at = bytes.indexOf(LF, from);
        lineStart = at >= 0;
        from = at >= 0 ? at + 1 : bytes.length;
        if (at < 0) break;
      }
      if (!(await this.#fill("a terminator"))) {
        throw new Error(
          `${this.#name}: the connection ended before the terminator of ${this.#last}, after ${
            this.#end - this.#start
          } octets`,
        );
      }
    }
  }

  /** Reads a multi-line answer behind its first line: what stands before the terminator, dot-stuffing undone, line ends kept. */
  async multiline(): Promise<Uint8Array<ArrayBuffer>> {
    return unstuffed(await this.multilineSent());
  }

  /** Reads a list: the lines of a multi-line answer behind its first line. */
  async list(): Promise<string[]> {
    const text = new TextDecoder().decode(await this.multiline());
    if (text === "") return [];
    if (!text.endsWith("\r\n")) throw new Error(`${this.#name}: a list with a torn line: ${text}`);
    return text.slice(0, -2).split("\r\n");
  }

  /** Sends RETR and gives the message; fails unless the answer is `+OK`. */
  async retrieve(number: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.ok(`RETR ${number}`);
    return await this.multiline();
  }

  /** Waits for the server to end the connection; fails if it says anything before. */
  async ended(): Promise<void> {
    if (this.#start < this.#end || await this.#fill("the end")) {
      const left = this.#buffer.subarray(this.#start, this.#end);
      throw new Error(`${this.#name}: expected the end and got ${printable(left)}`);
    }
  }

  /** Says that nothing more will be sent, and goes on reading. */
  async closeWrite(): Promise<void> {
    await this.#stream.closeWrite();
  }

  /** Sends nothing more, reads to the end whatever comes, and closes. */
  async leave(): Promise<void> {
    try {
      await this.#stream.closeWrite();
    } catch (error) {
      // The server was first.
      if (!(error instanceof Error)) throw error;
    }
    this.#start = this.#end;
    while (await this.#fill("the end")) this.#start = this.#end;
    this[Symbol.dispose]();
  }

  /** Ends the connection at once, without QUIT. Harmless when it is over. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#stream[Symbol.dispose]();
  }

  /** Reads more into the buffer; false at the end of the stream. A reset counts as the end. */
  async #fill(what: string): Promise<boolean> {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#buffer.length - this.#end < this.#buffer.length / 4) {
      const wider = new Uint8Array(this.#buffer.length * 2);
      wider.set(this.#buffer.subarray(0, this.#end));
      this.#buffer = wider;
    }
    const reading = this.#stream.read(this.#buffer.subarray(this.#end)).catch((error) => {
      if (
        error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe
      ) return null;
      throw error;
    });
    const read = await within(
      reading,
      `${this.#name}: reading ${what} after ${this.#last}`,
      this.#deadline,
    );
    if (read === null) return false;
    this.#end += read;
    return true;
  }
}

/** Octets for a failure's text: printable, cut at 200. */
export function printable(bytes: Uint8Array): string {
  return JSON.stringify(new TextDecoder("latin1").decode(bytes.subarray(0, 200)));
}
