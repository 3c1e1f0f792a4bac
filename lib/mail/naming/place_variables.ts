/** The variables of mailbox places, as Dovecot 2.3 (`%u`, `%Ln`, `%2.256Hu`) and 2.4 (`%{user | domain | lower}`) write them. */

import { createHash } from "node:crypto";
import { quote } from "../../bytes/quote.ts";

/** What variables are made from. */
export interface PlaceFacts {
  /** The whole name. */
  readonly user: string;
  /** The part before `@`. */
  readonly local: string;
  /** The part behind it; empty where there is none. */
  readonly domain: string;
}

/** A variable: its text in the template, and what it stands for. */
export interface Variable {
  readonly text: string;
  /** The user's home, which is a path; every other variable is one word. */
  readonly isHome: boolean;
  value(facts: PlaceFacts): string;
}

type Value = (facts: PlaceFacts) => string;
/** A change of a value; `width` is taken away by those that use it up. */
type Modifier = (value: string, numbers: { offset: number; width: number }) => string;

const LETTERS: Readonly<Record<string, Value>> = {
  u: ({ user }) => user,
  n: ({ local }) => local,
  d: ({ domain }) => domain,
};

const NAMES: Readonly<Record<string, Value>> = {
  user: LETTERS.u!,
  username: LETTERS.n!,
  domain: LETTERS.d!,
};

const MODIFIERS: Readonly<Record<string, Modifier>> = {
  L: (value) => value.toLowerCase(),
  U: (value) => value.toUpperCase(),
  R: (value) => [...value].reverse().join(""),
  M: (value) => createHash("md5").update(value).digest("hex"),
  H: (value, numbers) => modulo(BigInt(pjwHash(value)), numbers),
  N: (value, numbers) =>
    modulo(createHash("md5").update(value).digest().readBigUInt64BE(0), numbers),
};

/** Dovecot's `%H`: `%2.256Hu` is the hash modulo 256 in hexadecimal, two digits at least. */
function modulo(hash: bigint, numbers: { offset: number; width: number }): string {
  const value = numbers.width > 0 ? hash % BigInt(numbers.width) : hash;
  const digits = Math.max(0, numbers.offset);
  numbers.width = 0;
  numbers.offset = 0;
  return BigInt.asUintN(32, value).toString(16).padStart(digits, "0");
}

/** P. J. Weinberger's hash, 32 bits, over the octets. */
function pjwHash(text: string): number {
  let hash = 0;
  for (const octet of new TextEncoder().encode(text)) {
    hash = ((hash << 4) + octet) >>> 0;
    const high = hash & 0xf0000000;
    if (high !== 0) hash = (hash ^ (high >>> 24) ^ high) >>> 0;
  }
  return hash;
}

/** Part of a text; a negative offset counts from its end, a negative width leaves off so many at its end. */
function part(value: string, offset: number, width: number): string {
  const characters = [...value];
  const start = offset < 0 ? Math.max(0, characters.length + offset) : offset;
  const end = width === 0 ? undefined : width < 0 ? width : start + width;
  return characters.slice(start, end).join("");
}

const SHORT = /^%(-?\d+(?:\.-?\d+)?)?([A-Z]*)(?:([a-z])|\{([a-z]+)\})/;
const LONG = /^%\{([^{}]*)\}/;

/**
 * Reads the variable that begins a text.
 *
 * @throws {SyntaxError} when it is none that a place can hold
 */
export function readVariable(text: string): Variable {
  const long = LONG.exec(text);
  if (long !== null) return { text: long[0], ...readLong(long[0], long[1]!) };
  const [whole, numbers, letters = "", letter, name] = SHORT.exec(text) ?? [];
  if (whole === undefined) throw unknown(text.slice(0, 8));
  if ((letter ?? name) === "h" || name === "home") {
    return { text: whole, isHome: true, value: none };
  }
  const value = letter === undefined ? NAMES[name!] : LETTERS[letter];
  if (value === undefined) throw unknown(whole);
  const modifiers = [...letters].map((each) => {
    const modifier = MODIFIERS[each];
    if (modifier === undefined) throw unknown(whole);
    return modifier;
  });
  const [first = 0, second] = (numbers ?? "").split(".").map(Number);
  return {
    text: whole,
    isHome: false,
    value: (facts) => {
      const rest = { offset: second === undefined ? 0 : first, width: second ?? Math.abs(first) };
      const changed = modifiers.reduce((sum, modifier) => modifier(sum, rest), value(facts));
      return part(changed, rest.offset, rest.width);
    },
  };
}

/** A variable of Dovecot 2.4: a name, and filters behind bars. */
function readLong(text: string, inside: string): Omit<Variable, "text"> {
  const [name = "", ...filters] = inside.split("|").map((word) => word.trim());
  if (name === "home" && filters.length === 0) return { isHome: true, value: none };
  const value = NAMES[name];
  if (value === undefined) throw unknown(text);
  const changes = filters.map((filter) => readFilter(text, filter));
  return {
    isHome: false,
    value: (facts) => changes.reduce((sum, change) => change(sum, facts), value(facts)),
  };
}

function readFilter(text: string, filter: string): (value: string, facts: PlaceFacts) => string {
  const [, name, list] = /^([a-z_]+)(?:\(([^()]*)\))?$/.exec(filter) ?? [];
  const numbers = list === undefined || list.trim() === ""
    ? []
    : list.split(",").map((each) => Number(each.trim()));
  if (numbers.some((each) => !Number.isInteger(each))) throw unknown(text);
  const takesNone = numbers.length === 0;
  if (name === "domain" && takesNone) return (value) => value.split("@")[1] ?? "";
  if (name === "username" && takesNone) return (value) => value.split("@")[0]!;
  if (name === "lower" && takesNone) return (value) => value.toLowerCase();
  if (name === "upper" && takesNone) return (value) => value.toUpperCase();
  if (name === "reverse" && takesNone) return (value) => [...value].reverse().join("");
  if (name === "substr" && (numbers.length === 1 || numbers.length === 2)) {
    const [offset, width = 0] = numbers as [number, number?];
    return (value) => part(value, offset, width);
  }
  throw unknown(text);
}

const none = (): string => "";

function unknown(text: string): SyntaxError {
  return new SyntaxError(
    `${
      quote(text)
    } is not a variable of a mailbox place; there are %u, %n, %d, %h, %{user}, %{user | domain}, ` +
      "%{user | username}, each with lower, substr(0,1) and the like",
  );
}
