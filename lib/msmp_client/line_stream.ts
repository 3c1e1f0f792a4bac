/** Lines over a connection to the server, with time limits, read ahead so that a lost connection is noticed. */

import { NoConnectionError } from "./errors.ts";

/** What lines are carried by: a `Deno.Conn` will do. */
export interface ByteStream {
  /** Resolves to how many octets were read, or to null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Resolves to how many octets were taken. */
  write(octets: Uint8Array): Promise<number>;
  close(): void;
}

/** The longest line that is taken from a server, in octets; MSMP's own bound is 512. */
const LONGEST_LINE = 65_536;
/** Octets that are read before anyone asks for them. */
const READ_AHEAD = 65_536;
const LF = 0x0a;
const CR = 0x0d;

/** The lines of one connection. */
export class LineStream {
  readonly #stream: ByteStream;
  readonly #chunk = new Uint8Array(32_768);
  readonly #decoder = new TextDecoder();
  #held: Uint8Array = new Uint8Array(0);
  /** Where the search for the next line end goes on. */
  #searched = 0;
  #filling: Promise<void> | undefined;
  #wanted = 0;
  #end: { readonly error?: unknown } | undefined;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /** Whether the server has closed the connection, as far as was read. */
  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Octets that were read and not yet taken as lines. */
  get pending(): number {
    return this.#held.length;
  }

  /**
   * The next line without its end.
   *
   * @param limit milliseconds to wait for it
   * @throws {NoConnectionError} when the connection ends, the line is over-long, or the time is over
   */
  async next(limit: number): Promise<string> {
    const line = await this.nextWithin(limit);
    if (line !== undefined) return line;
    throw new NoConnectionError(
      `the server has not answered within ${Math.round(limit / 1000)} seconds`,
    );
  }

  /**
   * The next line, or undefined when none has come in time. What comes later is not lost.
   *
   * @param limit milliseconds
   * @throws {NoConnectionError} when the connection ends, or the line is over-long
   */
  async nextWithin(limit: number): Promise<string | undefined> {
    // Most lines are here already, and cost no timer.
    const held = this.#take();
    if (held !== undefined) return held;
    const late = Promise.withResolvers<"late">();
    const timer = setTimeout(() => late.resolve("late"), limit);
    this.#wanted++;
    try {
      for (;;) {
        const line = this.#take();
        if (line !== undefined) return line;
        if (this.#end !== undefined) throw lost(this.#end.error);
        if (this.#held.length > LONGEST_LINE) {
          throw new NoConnectionError(`the server sent a line over ${LONGEST_LINE} octets`);
        }
        if (await Promise.race([this.#fill(), late.promise]) === "late") return undefined;
      }
    } finally {
      this.#wanted--;
      clearTimeout(timer);
    }
  }

  /** Begins to read without anyone waiting, so that {@linkcode LineStream.ended} becomes known. */
  readAhead(): void {
    if (this.#end === undefined) void this.#fill();
  }

  /** Drops whole lines that nobody asked for, such as a farewell; returns them. */
  takePending(): readonly string[] {
    const lines: string[] = [];
    for (let line = this.#take(); line !== undefined; line = this.#take()) lines.push(line);
    return lines;
  }

  /**
   * Sends a line.
   *
   * @throws {NoConnectionError} when the connection is lost
   */
  async send(line: string): Promise<void> {
    let octets = new TextEncoder().encode(`${line}\r\n`);
    try {
      while (octets.length > 0) octets = octets.subarray(await this.#stream.write(octets));
    } catch (error) {
      throw lost(error);
    }
  }

  /** Closes the connection. */
  close(): void {
    this.#end ??= {};
    try {
      this.#stream.close();
    } catch (error) {
      // It is closed already.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  #fill(): Promise<void> {
    this.#filling ??= this.#read().finally(() => {
      this.#filling = undefined;
      if (this.#wanted === 0 && this.#held.length < READ_AHEAD) this.readAhead();
    });
    return this.#filling;
  }

  async #read(): Promise<void> {
    try {
      const count = await this.#stream.read(this.#chunk);
      if (count === null) {
        this.#end ??= {};
        return;
      }
      const held = new Uint8Array(this.#held.length + count);
      held.set(this.#held);
      held.set(this.#chunk.subarray(0, count), this.#held.length);
      this.#held = held;
    } catch (error) {
      this.#end ??= { error };
    }
  }

  #take(): string | undefined {
    const at = this.#held.indexOf(LF, this.#searched);
    if (at < 0) {
      this.#searched = this.#held.length;
      return undefined;
    }
    const end = at > 0 && this.#held[at - 1] === CR ? at - 1 : at;
    const line = this.#decoder.decode(this.#held.subarray(0, end));
    this.#held = this.#held.subarray(at + 1);
    this.#searched = 0;
    return line;
  }
}

function lost(error: unknown): NoConnectionError {
  const reason = error instanceof Error ? `: ${error.message}` : "";
  return new NoConnectionError(`the server closed the connection${reason}`, { cause: error });
}
