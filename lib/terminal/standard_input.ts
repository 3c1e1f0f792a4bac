/** Lines of standard input where it is no terminal. */

/** The longest line that is taken, in UTF-16 units; the server takes 4096 octets. */
const LONGEST = 65_536;

/**
 * Gives the lines of a stream without their ends.
 *
 * @throws {RangeError} when a line is over-long
 */
export async function* linesOf(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let held = "";
  for await (const chunk of stream) {
    held += decoder.decode(chunk, { stream: true });
    const lines = held.split("\n");
    held = lines.pop()!;
    for (const line of lines) yield line.replace(/\r$/, "");
    if (held.length > LONGEST) throw new RangeError(`a line is over ${LONGEST} characters long`);
  }
  held += decoder.decode();
  if (held !== "") yield held.replace(/\r$/, "");
}

/** Standard input, line by line, shared by all who want lines of it. */
export class StandardInput implements AsyncIterable<string> {
  #lines: AsyncGenerator<string> | undefined;

  /** The next line, or undefined at the end. */
  async next(): Promise<string | undefined> {
    this.#lines ??= linesOf(Deno.stdin.readable);
    const { value, done } = await this.#lines.next();
    return done ? undefined : value;
  }

  /** Those that are left. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (let line = await this.next(); line !== undefined; line = await this.next()) yield line;
  }
}
