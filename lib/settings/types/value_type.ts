/** What a setting's value may be: how it is read from text, shown, and described to who wrote it wrong. */

/** Text that is no value of its type. The message says what was expected instead. */
export class InvalidText extends Error {
  override name = "InvalidText";
  /** The text as it was given; never show it where the type is secret. */
  readonly text: string;

  /**
   * @param text as it was given
   * @param expected what it should have been, as it follows "expected"
   */
  constructor(text: string, expected: string) {
    super(expected);
    this.text = text;
  }
}

/** What kind of TOML value the config file gives. */
export type TomlKind = "string" | "integer" | "boolean";

/** A kind of value. */
export interface ValueType<T> {
  /** How help names the value, such as `N` or `FILE`; empty where the flag takes none. */
  readonly placeholder: string;
  readonly toml: TomlKind;
  /** Whether the flag may be given more than once, and the environment holds several words. */
  readonly repeatable: boolean;
  /** What may be given, as it follows the word "expected". */
  readonly expected: string;
  /**
   * Reads a value.
   *
   * @param texts exactly one where the type is not repeatable
   * @throws {InvalidText} when a text does not fit
   */
  read(texts: readonly string[]): T;
  /** The texts from which {@linkcode ValueType.read} makes the same value; empty for undefined. */
  write(value: T): readonly string[];
  /** For secrets: the text with what nobody may see taken out. */
  mask?(text: string): string;
}

/** What {@linkcode single} needs to know. */
export interface SingleOptions<T> {
  readonly placeholder: string;
  readonly expected: string;
  /** @default {"string"} */
  readonly toml?: TomlKind;
  /** Returns the value, or undefined when the text does not fit. */
  readonly parse: (text: string) => T | undefined;
  /** @default {String} */
  readonly format?: (value: T) => string;
  readonly mask?: (text: string) => string;
}

/** A type of which one value is given. */
export function single<T>(options: SingleOptions<T>): ValueType<T> {
  const { placeholder, expected, toml = "string", parse, format = String, mask } = options;
  return {
    placeholder,
    toml,
    repeatable: false,
    expected,
    read(texts): T {
      const text = texts.length === 1 ? texts[0]! : texts.join(" ");
      const value = texts.length === 1 ? parse(text) : undefined;
      if (value === undefined) throw new InvalidText(text, expected);
      return value;
    },
    write: (value) => [format(value)],
    ...(mask === undefined ? {} : { mask }),
  };
}

/** A type of which any number of values is given, in order. */
export function listOf<T>(item: ValueType<T>): ValueType<readonly T[]> {
  return {
    placeholder: item.placeholder,
    toml: item.toml,
    repeatable: true,
    expected: item.expected,
    read: (texts) => Object.freeze(texts.map((text) => item.read([text]))),
    write: (values) => values.flatMap((value) => item.write(value)),
    ...(item.mask === undefined ? {} : { mask: item.mask }),
  };
}

/** A type that may stay without a value. */
export function optional<T>(type: ValueType<T>): ValueType<T | undefined> {
  return {
    ...type,
    read: (texts) => type.read(texts),
    write: (value) => value === undefined ? [] : type.write(value),
  };
}
