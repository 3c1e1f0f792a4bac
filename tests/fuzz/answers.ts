/** Reads a server's answers as strictly as the standards allow, knowing only which lines were sent. */

import { textOf } from "../support/awkward_messages.ts";
import { within } from "../support/waiting.ts";
import { MARKER } from "./grammar.ts";

/** An answer that no client could make sense of. */
export class BadAnswer extends Error {
  override name = "BadAnswer";
}

const FIRST_LINE = /^(?:\+OK(?: .*)?|-ERR .*|\+ [A-Za-z0-9+/=]*)$/;
/** Milliseconds after which a server that says nothing has hung. */
const PATIENCE = 15_000;

/** Tells whether a `+OK` to a line is followed by more lines, as the server must have understood it. */
export function isMultiline(line: Uint8Array): boolean {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(line);
  const [, keyword = "", rest = ""] = /^([^ ]*) ?([^]*)$/.exec(text) ?? [];
  switch (keyword.toUpperCase()) {
    case "CAPA":
    case "RETR":
    case "TOP":
      return true;
    case "LIST":
    case "UIDL":
    case "LANG":
      return rest.trim() === "";
    case "AUTH":
      return rest.replaceAll(" ", "") === "";
    default:
      return false;
  }
}

/** One connection's answers. */
export class AnswerReader {
  readonly #conn: Pick<Deno.Conn, "read">;
  readonly #chunk = new Uint8Array(65_536);
  #text = "";
  #over = false;
  #reset = false;

  constructor(conn: Pick<Deno.Conn, "read">) {
    this.#conn = conn;
  }

  /**
   * Reads the first line of an answer.
   *
   * @returns the line without CRLF, or undefined where the connection ended between two answers
   * @throws {BadAnswer} when it is malformed, too long, torn, or holds what the client said
   */
  async first(): Promise<string | undefined> {
    const line = await this.#line();
    if (line === undefined) return undefined;
    if (line.length > 510) throw new BadAnswer(`a first line of ${line.length + 2} octets`);
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    if (!FIRST_LINE.test(line) || /[\x00-\x1f\x7f]/.test(line)) {
      throw new BadAnswer(`no first line: ${JSON.stringify(line)}`);
    }
    return line;
  }

  /** Reads the rest of a multi-line answer. @throws {BadAnswer} when it has no terminator */
  async rest(): Promise<void> {
    for (let line = await this.#line(); line !== "."; line = await this.#line()) {
      if (line === undefined) {
        if (this.#reset) return;
        throw new BadAnswer("a multi-line answer without its terminator");
      }
      if (line.startsWith(".") && !line.startsWith("..")) {
        throw new BadAnswer(`a line that is not stuffed: ${JSON.stringify(line.slice(0, 80))}`);
      }
    }
  }

  /** Requires that nothing more comes. */
  async nothing(): Promise<void> {
    const line = await this.#line();
    if (line !== undefined) throw new BadAnswer(`an answer to nothing: ${JSON.stringify(line)}`);
  }

  async #line(): Promise<string | undefined> {
    let searched = 0;
    for (;;) {
      const end = this.#text.indexOf("\n", searched);
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        if (!line.endsWith("\r")) throw new BadAnswer(`a line without CR: ${JSON.stringify(line)}`);
        if (line.includes(MARKER)) throw new BadAnswer(`an echo: ${JSON.stringify(line)}`);
        return line.slice(0, -1);
      }
      searched = this.#text.length;
      if (!await this.#more()) {
        if (this.#text !== "" && !this.#reset) {
          throw new BadAnswer(`a torn line: ${JSON.stringify(this.#text.slice(0, 200))}`);
        }
        return undefined;
      }
    }
  }

  async #more(): Promise<boolean> {
    if (this.#over) return false;
    const reading = this.#conn.read(this.#chunk).catch((error) => {
      if (!(error instanceof Error)) throw error;
      // Whatever kind of end this is, what was on its way is lost with it.
      this.#reset = true;
      return null;
    });
    const octets = await within(reading, "an answer", PATIENCE);
    if (octets === null) this.#over = true;
    else this.#text += textOf(this.#chunk.subarray(0, octets));
    return octets !== null;
  }
}
