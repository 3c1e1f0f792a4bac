/** Reads a command's flags by `@std/cli`, strictly: what it lets pass (unknown flags, flags without values) is refused here. */

// @ts-types="./std_parse_args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
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

/** What a command line holds. */
export interface ParsedFlags {
  /** The values by flag name; a flag that takes none has `true` or the text after `=`. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** What belongs to no flag, and everything after `--`. */
  readonly rest: readonly string[];
}

/** One argument, taken apart. */
interface Written {
  /** As the user wrote it, for errors: `--port` or `-p`. */
  readonly as: string;
  readonly flag: Flag;
  /** What was joined to it: `--port=1110`, `-p=1110`, `-p1110`. */
  readonly joined: string | undefined;
}

/**
 * Reads arguments. A value may follow after a blank, after `=`, or directly after a short flag; one that begins with `--` must
 * follow after `=`, since after a blank it is taken for the next flag.
 *
 * @param flags those that the command has
 * @throws {UsageError} for an unknown flag, a flag without its value, a value where none is taken, a flag given twice
 */
export function parseFlags(args: readonly string[], flags: readonly Flag[]): ParsedFlags {
  const { plain, rest } = spellOut(args, flags);
  const names = flags.map(plainName);
  const parsed = parseArgs(plain, { boolean: [], string: names, collect: names });
  const values = new Map<string, readonly string[]>();
  for (const flag of flags) {
    const { name, repeatable } = flag;
    const texts = parsed[plainName(flag)] as readonly string[];
    if (texts.length > 1 && !repeatable) {
      throw new UsageError(`--${name} is given ${texts.length} times: expected once`);
    }
    if (texts.length > 0) values.set(name, texts);
  }
  return { values, rest };
}

/** `@std/cli` reads `--no-flag-updates` as the negation of a flag `flag-updates`; a sign in front keeps it from that. */
const plainName = ({ name }: Flag): string => `@${name}`;

/** Writes every flag as `--@name=value`, which leaves nothing to be guessed. */
function spellOut(
  args: readonly string[],
  flags: readonly Flag[],
): { plain: string[]; rest: string[] } {
  const plain: string[] = [];
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      rest.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      rest.push(arg);
      continue;
    }
    const written = takeApart(arg, flags);
    let value = written.joined;
    if (value === undefined && written.flag.placeholder === "") value = "true";
    if (value === undefined) {
      value = args[++i];
      if (value !== undefined && isFlag(value, flags)) {
        throw new UsageError(
          `${missing(written)}; a value that looks like a flag is written ${written.as}=VALUE`,
        );
      }
    }
    if (value === undefined || value === "") throw new UsageError(missing(written));
    plain.push(`--${plainName(written.flag)}=${value}`);
  }
  return { plain, rest };
}

const missing = ({ as, flag }: Written): string =>
  `${as} has no value: expected ${as} ${flag.placeholder === "" ? "alone" : flag.placeholder}`;

/** Finds the flag that an argument names. */
function takeApart(arg: string, flags: readonly Flag[]): Written {
  const equals = arg.indexOf("=");
  if (arg.startsWith("--")) {
    const name = arg.slice(2, equals < 0 ? undefined : equals);
    const flag = flags.find((each) => each.name === name);
    if (flag === undefined) throw new UsageError(unknown(`--${name}`, flags));
    return { as: `--${name}`, flag, joined: equals < 0 ? undefined : arg.slice(equals + 1) };
  }
  const letter = Array.from(arg)[1]!;
  const flag = flags.find((each) => each.letter === letter);
  const tail = arg.slice(1 + letter.length);
  // `-port` is more likely a slip of the finger than `-p ort`; but `-p1110` is common.
  const long = arg.slice(1, equals < 0 ? undefined : equals);
  if (tail !== "" && flags.some(({ name }) => name === long)) {
    throw new UsageError(unknown(`-${long}`, flags));
  }
  // What follows the letter may be a password, so it is not repeated.
  if (flag === undefined) throw new UsageError(unknown(`-${letter}`, flags));
  if (flag.placeholder === "" && tail !== "" && !tail.startsWith("=")) {
    throw new UsageError(`-${letter} does not take a value`);
  }
  const joined = tail.startsWith("=") ? tail.slice(1) : tail === "" ? undefined : tail;
  return { as: `-${letter}`, flag, joined };
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
