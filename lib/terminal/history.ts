/** The lines that were entered before, kept in memory. */

/** How many lines are kept. */
const MOST = 500;

/** Lines, the newest last, and a place among them. */
export class History {
  readonly #lines: string[] = [];
  /** The line that is shown; one past the last is the line being written. */
  #at = 0;
  #draft = "";

  /** Keeps a line, unless it is empty or the same as the last. Starts at the end again. */
  add(line: string): void {
    const text = line.trim();
    if (text !== "" && text !== this.#lines.at(-1)) this.#lines.push(text);
    if (this.#lines.length > MOST) this.#lines.shift();
    this.rewind();
  }

  /** Starts at the end again. */
  rewind(): void {
    this.#at = this.#lines.length;
    this.#draft = "";
  }

  /**
   * The line before the one shown.
   *
   * @param shown what stands there now, kept while it is the line being written
   */
  older(shown: string): string | undefined {
    if (this.#at === 0) return undefined;
    if (this.#at === this.#lines.length) this.#draft = shown;
    return this.#lines[--this.#at];
  }

  /** The line after the one shown, the line being written at last. */
  newer(): string | undefined {
    if (this.#at === this.#lines.length) return undefined;
    this.#at++;
    return this.#lines[this.#at] ?? this.#draft;
  }

  /**
   * The newest line that holds a text.
   *
   * @param skip how many such lines to pass over
   */
  find(text: string, skip: number): string | undefined {
    if (text === "") return undefined;
    return this.#lines.toReversed().filter((line) => line.includes(text))[skip];
  }
}
