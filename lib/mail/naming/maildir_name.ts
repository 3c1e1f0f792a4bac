/** The grammar of a Maildir's file names: unique part, fields, delivery time, flags (https://cr.yp.to/proto/maildir.html). */

/** What separates flags from the unique part; file systems of other makers, and programs that serve them, have no colon in names. */
const INFO = /^(.*)[;!]2,[A-Za-z]*$/s;
const COLON_INFO = ":2,";
/** The letters of fields: S, U, W. */
const FIELDS: ReadonlySet<number> = new Set([0x53, 0x55, 0x57]);
const EQUALS = 0x3d;
/** Seconds past which a leading number is no delivery time but a name; microseconds stay exact integers below it. */
const LATEST_SECONDS = 9_000_000_000;
const MICROSECONDS_IN_A_SECOND = 1_000_000;

/**
 * Gives the part of a name that stays the same when flags change and the file moves from `new/` to `cur/`.
 *
 * @param name a file name, without folder
 * @returns what stands before `:2,`, or before `;2,` or `!2,` and nothing but flags; else the whole name
 */
export function uniquePart(name: string): string {
  return name.slice(0, infoStart(name));
}

/**
 * Gives what a message is recognized by: the unique part without the fields that other programs add and correct: `,U=` (mbsync's number of
 * the message), `,S=` and `,W=` (its size as stored and as sent).
 *
 * @param name a file name, without folder
 */
export function identityPart(name: string): string {
  const unique = uniquePart(name);
  return unique.slice(0, fieldsStart(unique));
}

/**
 * Gives what a message's unique-id is made from where nothing else is known of it: the unique part without `,U=`, which comes after
 * delivery. `,S=` and `,W=` come with the delivery, and have always belonged to ids.
 *
 * @param name a file name, without folder
 */
export function idPart(name: string): string {
  const unique = uniquePart(name);
  if (!unique.includes(",U=")) return unique;
  const start = fieldsStart(unique);
  return unique.slice(0, start) + unique.slice(start).replaceAll(/,U=[^,]*/g, "");
}

/** Where the flags begin, with what separates them; the length of a name that has none. */
function infoStart(name: string): number {
  const colon = name.indexOf(COLON_INFO);
  if (colon >= 0) return colon;
  // Most names of `new/` have nothing of the kind.
  const before = name.includes("2,") ? INFO.exec(name)?.[1] : undefined;
  return before?.length ?? name.length;
}

/** Where the fields at the end of a unique part begin; its length where it has none. */
function fieldsStart(unique: string): number {
  let start = unique.length;
  if (!unique.includes("=")) return start;
  for (let at = start; at > 0;) {
    at = unique.lastIndexOf(",", at - 1);
    const isField = at >= 0 && unique.charCodeAt(at + 2) === EQUALS &&
      FIELDS.has(unique.charCodeAt(at + 1));
    if (!isField) break;
    start = at;
  }
  return start;
}

/**
 * Reads a delivery time: the leading seconds, and the `M` part's microseconds.
 *
 * @param name a file name, without folder, or its {@linkcode identityPart}; flags and fields must not decide whether it tells a time
 * @returns microseconds since 1970; 0 for a name that tells no time
 */
export function deliveryTime(name: string): number {
  let seconds = 0;
  let at = 0;
  for (; at < name.length; at++) {
    const digit = name.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) break;
    seconds = seconds * 10 + digit;
    if (seconds > LATEST_SECONDS) return 0;
  }
  if (at === 0 || (at < name.length && name.charCodeAt(at) !== 46)) return 0;
  return seconds * MICROSECONDS_IN_A_SECOND + microseconds(name, at + 1);
}

/** The digits after `M` in the part of a name that begins at `start` and ends before the next dot. */
function microseconds(name: string, start: number): number {
  let value = -1;
  for (let at = start; at < name.length; at++) {
    const unit = name.charCodeAt(at);
    if (unit === 46 || unit === 58) break;
    if (unit === 77 && value < 0) value = 0;
    else if (value >= 0) {
      if (unit < 48 || unit > 57) break;
      value = value * 10 + unit - 48;
      if (value >= MICROSECONDS_IN_A_SECOND) return 0;
    }
  }
  return Math.max(value, 0);
}

/**
 * Gives the name of the same message once it was seen: flag `S` added, flags in alphabetical order.
 *
 * @param name a file name, without folder
 * @param separator what separates the flags where the name has none
 * @returns the name in `cur/`; the same name when it says seen already
 */
export function seenName(name: string, separator: string = ":"): string {
  const info = infoStart(name);
  if (info === name.length) return `${name}${separator}2,S`;
  const flagsStart = info + COLON_INFO.length;
  const flags = /^[A-Za-z]*/.exec(name.slice(flagsStart))?.[0] ?? "";
  if (flags.includes("S")) return name;
  const sorted = [...flags, "S"].sort().join("");
  return name.slice(0, flagsStart) + sorted + name.slice(flagsStart + flags.length);
}

/** What separates the flags of a name that has some; undefined for one that has none. */
export function separatorOf(name: string): string | undefined {
  const info = infoStart(name);
  return info < name.length ? name.charAt(info) : undefined;
}

/**
 * Puts two names in the order in which messages are numbered: by delivery time, then by identity, then by the rest.
 *
 * @returns below 0 when `a` comes first, above 0 when `b` does
 */
export function compareNames(a: string, b: string): number {
  return compareIdentities(a, b) || compareText(a, b);
}

/** The same by delivery time and identity alone: 0 for names of one {@linkcode identityPart}. Whatever other programs do to the names, this order stays. */
export function compareIdentities(a: string, b: string): number {
  const [ours, theirs] = [identityPart(a), identityPart(b)];
  return deliveryTime(ours) - deliveryTime(theirs) || compareText(ours, theirs);
}

/** Compares by UTF-16 code units, which no locale changes. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
