/** What can be said in one phase of a dialogue: an entry a command, and nothing else exists there. */

import { asciiUpperCase } from "../bytes/ascii_upper_case.ts";
import type { Reply } from "./reply.ts";

/**
 * A command: its reader, its meaning, its capability and what logs must hide stand together.
 *
 * @typeParam S what the phase gives to its commands
 * @typeParam A the arguments as they were read
 * @typeParam C what capabilities and availability depend on
 */
export interface CommandDefinition<S, A, C> {
  /** The keyword, in capitals. */
  readonly name: Uppercase<string>;
  /**
   * Reads what follows the keyword and one blank.
   *
   * @throws {SyntaxError} when it does not fit; the message goes to the client
   */
  readonly args: (rest: string) => A;
  /** What logs must not show of its arguments. */
  readonly secret?: "all" | "after-first";
  /** Whether it exists at all; by default it does. */
  readonly available?: (context: C) => boolean;
  /** What a client is told that says it where it does not exist and the client can do something about that. */
  readonly absent?: (context: C) => string | undefined;
  /** Its line in the capability list (RFC 2449, section 5), where it has one. */
  readonly capability?: (context: C) => string | undefined;
  /** Carries it out. */
  readonly handle: (session: S, args: A) => Reply | Promise<Reply>;
}

/** A command whose argument type only its own entry knows. */
export interface Command<S, C> {
  readonly name: Uppercase<string>;
  readonly secret: "all" | "after-first" | undefined;
  readonly available: (context: C) => boolean;
  readonly absent: (context: C) => string | undefined;
  readonly capability: (context: C) => string | undefined;
  /** Reads the arguments and carries it out. @throws {SyntaxError} when they do not fit */
  readonly run: (session: S, rest: string) => Reply | Promise<Reply>;
}

/** Makes a table entry of a definition. */
export function command<S, A, C>(definition: CommandDefinition<S, A, C>): Command<S, C> {
  return {
    name: definition.name,
    secret: definition.secret,
    available: definition.available ?? (() => true),
    absent: definition.absent ?? (() => undefined),
    capability: definition.capability ?? (() => undefined),
    run: (session, rest) => definition.handle(session, definition.args(rest)),
  };
}

/** The commands of one phase. */
export class CommandTable<S, C> {
  readonly #byName: ReadonlyMap<string, Command<S, C>>;

  constructor(commands: readonly Command<S, C>[]) {
    this.#byName = new Map(commands.map((entry) => [entry.name, entry]));
    if (this.#byName.size !== commands.length) {
      throw new TypeError("Two commands of a table share a name");
    }
  }

  /** The names of all commands, whether or not they exist in some context. */
  get names(): string[] {
    return [...this.#byName.keys()];
  }

  /** Finds a command that exists in this context by its keyword in any case (RFC 1939, section 3). */
  find(keyword: string, context: C): Command<S, C> | undefined {
    const entry = this.entry(keyword);
    return entry?.available(context) ? entry : undefined;
  }

  /** Why a command that {@linkcode CommandTable.find} does not find is absent, where its entry says so. */
  absence(keyword: string, context: C): string | undefined {
    const entry = this.entry(keyword);
    return entry?.available(context) ? undefined : entry?.absent(context);
  }

  /** The commands that exist in this context, in the order in which the table names them. */
  available(context: C): Command<S, C>[] {
    return [...this.#byName.values()].filter((entry) => entry.available(context));
  }

  /** The capability lines of the commands that exist in this context. */
  capabilities(context: C): string[] {
    return this.available(context).flatMap((entry) => entry.capability(context) ?? []);
  }

  /** The command of a keyword, whether or not it exists in some context. */
  entry(keyword: string): Command<S, C> | undefined {
    return this.#byName.get(keyword) ?? this.#byName.get(asciiUpperCase(keyword));
  }
}

/** A command line in its two parts. */
export interface CommandLine {
  readonly keyword: string;
  /** What follows the keyword and one blank, untouched. */
  readonly rest: string;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Splits a command line (RFC 1939, section 3; RFC 6856 lets names and passwords be UTF-8).
 *
 * @throws {SyntaxError} when it is not UTF-8 or holds a NUL
 */
export function readCommandLine(line: Uint8Array): CommandLine {
  let text;
  try {
    text = decoder.decode(line);
  } catch {
    throw new SyntaxError("The line is not valid UTF-8");
  }
  if (text.includes("\0")) throw new SyntaxError("The line holds a NUL octet");
  const blank = text.indexOf(" ");
  return blank === -1
    ? { keyword: text, rest: "" }
    : { keyword: text.slice(0, blank), rest: text.slice(blank + 1) };
}
