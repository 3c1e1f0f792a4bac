/** What the commands besides `serve` share: -h and -v, and how help spells flags. */

import { VERSION } from "../version.ts";
import type { Flag } from "./flags.ts";
import { type HelpLine, helpSection } from "./help.ts";
import { printLine } from "../terminal/output.ts";
import { UsageError } from "./usage_error.ts";

/** A flag and what it does. */
export interface OwnFlag extends Flag {
  readonly help: string;
}

const HELP: OwnFlag = {
  name: "help",
  letter: "h",
  placeholder: "",
  repeatable: false,
  help: "show this help and exit",
};
const VERSION_FLAG: OwnFlag = {
  name: "version",
  letter: "v",
  placeholder: "",
  repeatable: false,
  help: "show the version and exit",
};

/** Makes a flag; an empty placeholder means that it takes no value. */
export function ownFlag(
  name: string,
  letter: string | undefined,
  placeholder: string,
  help: string,
): OwnFlag {
  return { name, letter, placeholder, repeatable: false, help };
}

/** Flags with -h and -v behind them. */
export function withHelp(flags: readonly OwnFlag[]): readonly OwnFlag[] {
  return [...flags, HELP, VERSION_FLAG];
}

/**
 * Answers -h and -v, whatever else stands on the line.
 *
 * @returns the exit status, or undefined when neither was asked for
 */
export function answerHelp(args: readonly string[], help: () => string): number | undefined {
  if (asksForHelp(args)) return printLine(help().trimEnd());
  return hasFlag(args, "-v", "--version") ? printLine(`postern ${VERSION}`) : undefined;
}

/** Whether -h stands among the flags. */
export function asksForHelp(args: readonly string[]): boolean {
  return hasFlag(args, "-h", "--help");
}

function hasFlag(args: readonly string[], letter: string, name: string): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === letter || arg === name);
}

/** The section of a help text that lists flags. */
export function flagsHelp(flags: readonly OwnFlag[]): string {
  const lines = flags.map(({ name, letter, placeholder, help }): HelpLine => {
    const short = letter === undefined ? "    " : `-${letter}, `;
    const value = placeholder === "" ? "" : ` ${placeholder}`;
    return { flag: `${short}--${name}${value}`, help };
  });
  return helpSection("Flags", lines);
}

/**
 * Whether a flag without a value was given.
 *
 * @throws {UsageError} when it was given one
 */
export function isGiven(values: ReadonlyMap<string, readonly string[]>, name: string): boolean {
  const texts = values.get(name);
  if (texts === undefined) return false;
  if (texts[0] !== "true") throw new UsageError(`--${name} does not take a value`);
  return true;
}
