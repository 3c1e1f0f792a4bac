/** Turns the octets of a terminal into keys. */

/** A key that was pressed. */
export type Key =
  /** Characters to be inserted. */
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: NamedKey };

/** Keys that do something. */
export type NamedKey =
  | "enter"
  | "tab"
  | "backspace"
  | "delete"
  | "left"
  | "right"
  | "up"
  | "down"
  | "home"
  | "end"
  | "word-left"
  | "word-right"
  | "erase-word"
  | "erase-before"
  | "erase-after"
  | "clear-screen"
  | "search"
  | "cancel"
  | "end-of-input"
  | "escape";

const CONTROLS: Readonly<Record<number, NamedKey>> = {
  0x01: "home",
  0x02: "left",
  0x03: "cancel",
  0x04: "end-of-input",
  0x05: "end",
  0x06: "right",
  0x07: "escape",
  0x08: "backspace",
  0x09: "tab",
  0x0a: "enter",
  0x0b: "erase-after",
  0x0c: "clear-screen",
  0x0d: "enter",
  0x0e: "down",
  0x10: "up",
  0x12: "search",
  0x15: "erase-before",
  0x17: "erase-word",
  0x7f: "backspace",
};

/** What follows ESC; the sequences of xterm, of the Linux console and of rxvt. */
const SEQUENCES: Readonly<Record<string, NamedKey>> = {
  "[A": "up",
  "[B": "down",
  "[C": "right",
  "[D": "left",
  "[H": "home",
  "[F": "end",
  "OA": "up",
  "OB": "down",
  "OC": "right",
  "OD": "left",
  "OH": "home",
  "OF": "end",
  "[1~": "home",
  "[7~": "home",
  "[4~": "end",
  "[8~": "end",
  "[3~": "delete",
  "[1;5C": "word-right",
  "[1;5D": "word-left",
  "[1;3C": "word-right",
  "[1;3D": "word-left",
  "b": "word-left",
  "f": "word-right",
  "\x7f": "erase-word",
};

const ESC = 0x1b;
/** The longest sequence that is waited for; what is longer is no key. */
const LONGEST_SEQUENCE = 16;

/** Decodes octets as they come: characters and sequences may be cut anywhere. */
export class KeyDecoder {
  readonly #utf8 = new TextDecoder();
  #sequence: string | undefined;

  /** Whether an ESC was seen that may be a key of its own, or the start of a sequence. */
  get undecided(): boolean {
    return this.#sequence !== undefined;
  }

  /** Decodes what was read. */
  feed(octets: Uint8Array): Key[] {
    const keys: Key[] = [];
    let text = "";
    const flush = (): void => {
      if (text !== "") keys.push({ kind: "text", text });
      text = "";
    };
    for (const character of this.#utf8.decode(octets, { stream: true })) {
      const code = character.codePointAt(0)!;
      if (this.#sequence !== undefined) {
        flush();
        const kind = this.#continue(character);
        if (kind !== undefined) keys.push({ kind });
        continue;
      }
      if (code === ESC) this.#sequence = "";
      else if (code < 0x20 || code === 0x7f) {
        flush();
        const kind = CONTROLS[code];
        if (kind !== undefined) keys.push({ kind });
      } else if (code < 0x80 || code > 0x9f) text += character;
    }
    flush();
    return keys;
  }

  /** Says that nothing more comes soon: an ESC that stands alone was the key itself. */
  settle(): Key[] {
    if (this.#sequence === undefined) return [];
    const alone = this.#sequence === "";
    this.#sequence = undefined;
    return alone ? [{ kind: "escape" }] : [];
  }

  #continue(character: string): NamedKey | undefined {
    const sequence = this.#sequence + character;
    this.#sequence = sequence;
    const isStart = sequence === "[" || sequence === "O";
    const isOpen = /^\[[0-9;?]*$/.test(sequence) && sequence.length < LONGEST_SEQUENCE;
    if (isStart || isOpen) return undefined;
    // A second ESC begins anew; a sequence that means nothing to us is dropped whole.
    this.#sequence = character === "\x1b" ? "" : undefined;
    return SEQUENCES[sequence];
  }
}
