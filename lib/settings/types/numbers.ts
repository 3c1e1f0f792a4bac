/** Numbers as settings: whole, in a range, written in the one plain way. */

import { single, type ValueType } from "./value_type.ts";

/** Neither sign nor leading zero, blank, fraction or exponent: one number, one text. */
const PLAIN = /^(?:0|[1-9][0-9]*)$/;

/** What {@linkcode wholeNumber} needs to know. */
export interface NumberOptions {
  readonly min: number;
  readonly max: number;
  /** What is counted, such as `seconds`, or nothing where the setting's name says it. */
  readonly unit?: string;
  /** What 0 means, where it is no number like the others. It is allowed beside the range then. */
  readonly zero?: string;
}

/** A whole number in a range, both ends included. */
export function wholeNumber({ min, max, unit, zero }: NumberOptions): ValueType<number> {
  const what = unit === undefined ? "a whole number" : `a whole number of ${unit}`;
  const meaning = zero === undefined ? "" : `, or 0 (${zero})`;
  return single({
    placeholder: unit === "seconds" ? "SECONDS" : unit === "days" ? "DAYS" : "N",
    toml: "integer",
    expected: `${what} from ${min} to ${max}${meaning}`,
    parse: (text) => {
      if (!PLAIN.test(text)) return undefined;
      const number = Number(text);
      const inRange = number >= min && number <= max;
      return inRange || (number === 0 && zero !== undefined) ? number : undefined;
    },
  });
}

/** A TCP port. */
export const port: ValueType<number> = wholeNumber({ min: 1, max: 65_535, zero: "any free port" });
