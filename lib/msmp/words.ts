/** Readers of what follows a management command. */

import type { Reply } from "../wire/reply.ts";

/** The first word, and what follows it and one blank, untouched. */
export interface FirstWord {
  readonly word: string;
  readonly rest: string;
}

/** Splits at the first blank behind the first word; blanks in front of it do no harm. */
export function firstWord(text: string): FirstWord {
  const line = text.replace(/^ +/, "");
  const blank = line.indexOf(" ");
  return blank < 0
    ? { word: line, rest: "" }
    : { word: line.slice(0, blank), rest: line.slice(blank + 1) };
}

/** Takes the rest of the line as a name: blanks inside belong to it, those around do not. */
export function name(what: string): (rest: string) => string {
  return (rest) => {
    const text = rest.trim();
    if (text === "") throw new SyntaxError(`Missing ${what}`);
    return text;
  };
}

/**
 * Reads a whole number.
 *
 * @throws {SyntaxError} naming the range
 */
export function wholeNumber(text: string, what: string, least: number, most: number): number {
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new SyntaxError(`Invalid ${what}: expected a whole number from ${least} to ${most}`);
}

/** A refusal. */
export function refused(text: string): Reply {
  return { kind: "error", text };
}
