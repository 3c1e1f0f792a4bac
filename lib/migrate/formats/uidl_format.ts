/** Dovecot's `pop3_uidl_format`, in the spelling of 2.3 (`%08Xu%08Xv`) and of 2.4 (`%{uid | hex(8)}%{uidvalidity | hex(8)}`). */

import { createHash } from "node:crypto";

/** What an id is made from. */
export interface UidlVariables {
  readonly uid: number;
  readonly uidvalidity: number;
  /** The unique part of the file's name. */
  readonly filename: string;
  /** Undefined where the list has none: then it is the unique part. */
  readonly guid: string | undefined;
}

/** Makes a message's id. */
export type UidlFormat = (variables: UidlVariables) => string;

/** A format that cannot be used; the message says why. */
export class UidlFormatError extends Error {
  override name = "UidlFormatError";
}

/** Dovecot's default. */
export const DEFAULT_UIDL_FORMAT = "%08Xu%08Xv";

type Value = (variables: UidlVariables) => string | number;
type Filter = (value: string | number) => string | number;

const VALUES: Readonly<Record<string, Value>> = {
  u: ({ uid }) => uid,
  uid: ({ uid }) => uid,
  v: ({ uidvalidity }) => uidvalidity,
  uidvalidity: ({ uidvalidity }) => uidvalidity,
  f: ({ filename }) => filename,
  filename: ({ filename }) => filename,
  g: ({ guid, filename }) => guid ?? filename,
  guid: ({ guid, filename }) => guid ?? filename,
};

const md5 = (text: string): string => createHash("md5").update(text, "utf8").digest("hex");

/**
 * Reads a format.
 *
 * @throws {UidlFormatError} naming what of it is not known
 */
export function parseUidlFormat(format: string): UidlFormat {
  const parts: UidlFormat[] = [];
  for (let at = 0; at < format.length;) {
    const percent = format.indexOf("%", at);
    if (percent < 0 || percent > at) {
      const text = format.slice(at, percent < 0 ? format.length : percent);
      parts.push(() => text);
      at += text.length;
      continue;
    }
    const rest = format.slice(percent);
    const [whole, part] = rest.startsWith("%{") ? braced(rest) : lettered(rest);
    parts.push(part);
    at = percent + whole.length;
  }
  if (!/%/.test(format.replaceAll("%%", ""))) {
    throw new UidlFormatError("it holds no variable, so that all messages would have one id");
  }
  return (variables) => parts.map((part) => part(variables)).join("");
}

/** `%08Xu`, `%Mf`, `%v`. */
function lettered(text: string): [whole: string, part: UidlFormat] {
  if (text.startsWith("%%")) return ["%%", () => "%"];
  const [whole, zero, width = "", modifiers = "", letter = ""] =
    /^%(0?)(\d*)([A-Z]*)([a-z])/.exec(text) ?? [];
  const value = VALUES[letter];
  if (whole === undefined || value === undefined) throw unknown(text.slice(0, whole?.length ?? 2));
  const filters = [...modifiers].map((modifier) => modifierOf(modifier, whole));
  const pad = zero === "0" ? Number(width) : 0;
  return [
    whole,
    (variables) =>
      `${filters.reduce((each, filter) => filter(each), value(variables))}`.padStart(pad, "0"),
  ];
}

function modifierOf(modifier: string, whole: string): Filter {
  switch (modifier) {
    case "X":
      return hex;
    case "M":
      return (value) => md5(`${value}`);
    case "L":
      return (value) => `${value}`.toLowerCase();
    case "U":
      return (value) => `${value}`.toUpperCase();
    default:
      throw unknown(whole);
  }
}

function hex(value: string | number): string {
  return Number(value).toString(16);
}

/** `%{uid | hex(8)}`, `%{filename | md5}`. */
function braced(text: string): [whole: string, part: UidlFormat] {
  const [whole, inside = ""] = /^%\{([^{}]*)\}/.exec(text) ?? [];
  if (whole === undefined) throw unknown(text);
  const [name = "", ...filters] = inside.split("|").map((part) => part.trim());
  const value = VALUES[name];
  if (value === undefined) throw unknown(whole);
  const steps = filters.map((filter) => filterOf(filter, whole));
  return [
    whole,
    (variables) => `${steps.reduce((each, step) => step(each), value(variables))}`,
  ];
}

function filterOf(filter: string, whole: string): Filter {
  const [, name = "", argument] = /^(\w+)(?:\(\s*(\d{1,3})\s*\))?$/.exec(filter) ?? [];
  switch (name) {
    case "hex":
      return (value) => hex(value).padStart(Number(argument ?? 0), "0");
    case "md5":
      return (value) => md5(`${value}`);
    // An MD5 is written in hex here already.
    case "hexlify":
      return (value) => value;
    case "lower":
      return (value) => `${value}`.toLowerCase();
    case "upper":
      return (value) => `${value}`.toUpperCase();
    default:
      throw unknown(whole);
  }
}

function unknown(part: string): UidlFormatError {
  return new UidlFormatError(
    `${part} is not known: expected Dovecot's %u, %v, %f, %Mf, %g, %08Xu%08Xv or the like, or those of 2.4 such as %{uid | hex(8)}`,
  );
}
