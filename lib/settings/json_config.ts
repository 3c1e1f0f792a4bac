/** Reads a config file that is JSON (RFC 8259), or JSON with comments (`.jsonc`). Of our own, since errors and keys need their lines. */

import { SettingError } from "./errors.ts";

/** A JSON value; whole numbers are `bigint`, so that they differ from fractions. */
export type JsonValue = string | boolean | bigint | number | null | JsonArray | JsonObject;

/** An array of a JSON file. */
export type JsonArray = readonly JsonValue[];

/** An object of a JSON file; nothing in one is looked at but the outermost's entries. */
export interface JsonObject {
  readonly entries: readonly JsonEntry[];
}

/** A key of an object. */
export interface JsonEntry {
  readonly key: string;
  readonly value: JsonValue;
  /** Counted from 1. */
  readonly line: number;
}

/**
 * Reads the object of a file.
 *
 * @param name how errors name the file; one that ends in `.jsonc` may hold comments, and commas behind the last item
 * @throws {SettingError} naming file and line: bad JSON, no object, a key that stands twice
 */
export function parseJsonConfig(text: string, name: string): readonly JsonEntry[] {
  return new Reader(text, name).whole();
}

/** Levels of arrays and objects in each other; settings need two. */
const DEEPEST = 32;

const LITERALS: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

class Reader {
  readonly #text: string;
  readonly #name: string;
  readonly #hasComments: boolean;
  #at = 0;
  #depth = 0;

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
    this.#hasComments = name.toLowerCase().endsWith(".jsonc");
  }

  whole(): readonly JsonEntry[] {
    this.#skip();
    if (this.#text[this.#at] !== "{") this.#fail("expected an object with settings");
    const { entries } = this.#object();
    this.#skip();
    if (this.#at < this.#text.length) this.#fail("expected nothing behind the object");
    return entries;
  }

  #value(): JsonValue {
    const first = this.#text[this.#at];
    if (first === "{") return this.#object();
    if (first === "[") return this.#array();
    if (first === '"') return this.#string();
    const word = this.#take(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|[a-z]+/y);
    if (word === undefined) return this.#fail("expected a value");
    const literal = LITERALS.get(word);
    if (literal !== undefined) return literal;
    const number = Number(word);
    if (Number.isNaN(number)) return this.#fail("expected a value", this.#at - word.length);
    return Number.isSafeInteger(number) && /^-?\d+$/.test(word) ? BigInt(word) : number;
  }

  #object(): JsonObject {
    const entries: JsonEntry[] = [];
    const keys = new Set<string>();
    this.#items("}", "expected a name in quotes", () => {
      const at = this.#at;
      const key = this.#string();
      if (keys.has(key)) this.#fail(`${JSON.stringify(key)} is given twice`, at);
      keys.add(key);
      this.#skip();
      if (this.#text[this.#at] !== ":") this.#fail("expected a colon behind the name");
      this.#at++;
      this.#skip();
      entries.push({ key, value: this.#value(), line: this.#lineAt(at) });
    });
    return { entries };
  }

  #array(): JsonArray {
    const values: JsonValue[] = [];
    this.#items("]", "expected a value", () => values.push(this.#value()));
    return values;
  }

  /** What stands between two brackets, with commas between; a comma before the closing one only beside comments. */
  #items(close: string, expected: string, item: () => void): void {
    if (++this.#depth > DEEPEST) this.#fail("too many levels");
    this.#at++;
    for (let count = 0;; count++) {
      this.#skip();
      if (this.#text[this.#at] === close && (count === 0 || this.#hasComments)) break;
      if (this.#at >= this.#text.length) this.#fail(`expected ${close} at the end`);
      if (close === "}" && this.#text[this.#at] !== '"') this.#fail(expected);
      item();
      this.#skip();
      if (this.#text[this.#at] === close) break;
      if (this.#text[this.#at] !== ",") this.#fail(`expected a comma or ${close}`);
      this.#at++;
    }
    this.#at++;
    this.#depth--;
  }

  #string(): string {
    const at = this.#at;
    const written = this.#take(/"(?:[^"\\\n]|\\.)*"/y);
    if (written === undefined) return this.#fail("expected a closing quote on the same line");
    try {
      return JSON.parse(written);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return this.#fail("a string with a bad escape or a control character", at);
    }
  }

  /** Passes over white space, and comments where they may stand. */
  #skip(): void {
    for (;;) {
      this.#take(/[ \t\r\n]+/y);
      const at = this.#at;
      if (this.#take(/\/\/[^\n]*|\/\*[^]*?\*\//y) === undefined) return;
      if (!this.#hasComments) this.#fail("comments need a file name that ends in .jsonc", at);
    }
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    this.#at += found?.length ?? 0;
    return found;
  }

  #lineAt(at: number): number {
    return this.#text.slice(0, at).split("\n").length;
  }

  #fail(what: string, at = this.#at): never {
    throw new SettingError(`${this.#name}:${this.#lineAt(at)}: invalid JSON: ${what}`);
  }
}
