/** Reads a command's flags, strictly: `node:util` takes arguments apart, and what it lets pass is refused here. */

import { parseArgs } from "node:util";
import { printable } from "../bytes/printable.ts";
import { didYouMean } from "../settings/suggest.ts";
import { UsageError } from "./usage_error.ts";

/** A flag that a command has. */
export interface Flag {
  /** Without the dashes: `max-users`. */
  readonly name: string;
  readonly letter?: string | undefined;
  /** How help names its value; empty where it takes none. */
  readonly placeholder: string;
  /** Whether it may be given more than once. */
  readonly repeatable: boolean;
}

/** A flag of a line. */
export interface GivenFlag {
  readonly name: string;
  readonly value: string;
}

/** What a command line holds. */
export interface ParsedFlags {
  /** The values by flag name; a flag that takes none has `true` or the text after `=`. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** Every flag that was given, with its value, in the order of the line. */
  readonly given: readonly GivenFlag[];
  /** What belongs to no flag, and everything after `--`. */
  readonly rest: readonly string[];
}

/**
 * Reads arguments. A value may follow after a blank, after `=`, or directly after a short flag; one that begins with `--` must
 * follow after `=`, since after a blank it is taken for the next flag.
 *
 * @param flags those that the command has
 * @throws {UsageError} for an unknown flag, a flag without its value, a value where none is taken, a flag given twice
 */
export function parseFlags(args: readonly string[], flags: readonly Flag[]): ParsedFlags {
  const values = new Map<string, string[]>();
  const given: GivenFlag[] = [];
  const rest: string[] = [];
  for (const token of tokensOf(args, flags)) {
    if (token.kind === "positional") rest.push(token.value);
    if (token.kind !== "option") continue;
    const flag = flagOf(token, args[token.index]!, flags);
    const value = valueOf(token, flag, flags);
    given.push({ name: flag.name, value });
    values.set(flag.name, [...values.get(flag.name) ?? [], value]);
  }
  for (const { name, repeatable } of flags) {
    const times = values.get(name)?.length ?? 0;
    if (times > 1 && !repeatable) {
      throw new UsageError(`--${name} is given ${times} times: expected once`);
    }
  }
  return { values, given, rest };
}

type Token = ReturnType<typeof tokensOf>[number];
type Option = Extract<Token, { kind: "option" }>;

// deno-lint-ignore explicit-function-return-type -- node:util exports no name for it
function tokensOf(args: readonly string[], flags: readonly Flag[]) {
  const options = Object.fromEntries(flags.map(({ name, letter, placeholder }) => [name, {
    type: placeholder === "" ? "boolean" as const : "string" as const,
    ...letter !== undefined && { short: letter },
  }]));
  return parseArgs({
    args: [...args],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  }).tokens;
}

/** Finds the flag that an argument names. */
function flagOf({ name, rawName }: Option, arg: string, flags: readonly Flag[]): Flag {
  const flag = flags.find((each) => each.name === name);
  if (!arg.startsWith("--")) {
    // `-port` is more likely a slip of the finger than `-p ort`; but `-p1110` is common.
    const long = arg.slice(1).split("=", 1)[0]!;
    if (long.length > 1 && flags.some((each) => each.name === long)) {
      throw new UsageError(unknown(`-${long}`, flags));
    }
    if (flag?.placeholder === "" && arg.length > 2 && arg[2] !== "=") {
      throw new UsageError(`${rawName} does not take a value`);
    }
  }
  // What follows an unknown letter may be a password, so it is not repeated.
  if (flag === undefined) throw new UsageError(unknown(rawName, flags));
  return flag;
}

/** The value of a flag; `true` for one that takes none. */
function valueOf(
  { rawName, value, inlineValue }: Option,
  flag: Flag,
  flags: readonly Flag[],
): string {
  if (value === undefined && flag.placeholder === "") return "true";
  // `-p=1110` is common, too.
  const text = inlineValue && !rawName.startsWith("--") ? value?.replace(/^=/, "") : value;
  const isMissing = `${rawName} has no value: expected ${rawName} ${flag.placeholder || "alone"}`;
  if (text === undefined || text === "") throw new UsageError(isMissing);
  if (!inlineValue && isFlag(text, flags)) {
    throw new UsageError(
      `${isMissing}; a value that looks like a flag is written ${rawName}=VALUE`,
    );
  }
  return text;
}

/** Whether an argument is to be taken for a flag where a value is expected. */
function isFlag(arg: string, flags: readonly Flag[]): boolean {
  if (arg.startsWith("--")) return true;
  return arg.length === 2 && flags.some(({ letter }) => arg === `-${letter}`);
}

function unknown(arg: string, flags: readonly Flag[]): string {
  const shown = printable(arg, 80);
  const name = arg.replace(/^-+/, "").replaceAll("_", "-");
  const hint = name.length < 2
    ? ""
    : didYouMean(name, flags.map((flag) => flag.name), (near) => `--${near}`);
  return `unknown flag ${shown}${hint || ": expected one of those that -h lists"}`;
}
