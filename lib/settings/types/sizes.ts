/** Amounts of octets as settings: `500M`, `1G`. */

import { single, type ValueType } from "./value_type.ts";

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/** So many octets; 0 for no limit. */
export const octets: ValueType<number> = single({
  placeholder: "SIZE",
  expected: "a number of octets, such as 500M or 1G, or 0 (no limit)",
  parse: (text) => {
    const [, number, unit] = /^(\d{1,15})([KMGT]?)$/.exec(text) ?? [];
    if (number === undefined) return undefined;
    const size = Number(number) * UNITS[unit!]!;
    return Number.isSafeInteger(size) ? size : undefined;
  },
  format: (size) => {
    const unit = ["T", "G", "M", "K"].find((each) => size > 0 && size % UNITS[each]! === 0) ?? "";
    return `${size / UNITS[unit]!}${unit}`;
  },
});
