/** The grammar of a Maildir's file names: unique part, delivery time, flags (https://cr.yp.to/proto/maildir.html). */

const INFO = ":2,";
/** Seconds past which a leading number is no delivery time but a name; microseconds stay exact integers below it. */
const LATEST_SECONDS = 9_000_000_000;
const MICROSECONDS_IN_A_SECOND = 1_000_000;

/**
 * Gives the part of a name that stays the same when flags change and the file moves from `new/` to `cur/`.
 *
 * @param name a file name, without folder
 * @returns what stands before `:2,`, or the whole name
 */
export function uniquePart(name: string): string {
  const info = name.indexOf(INFO);
  return info < 0 ? name : name.slice(0, info);
}

/**
 * Reads a delivery time from a name: the leading seconds, and the `M` part's microseconds.
 *
 * @param name a file name, without folder
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
 * @returns the name in `cur/`; the same name when it says seen already
 */
export function seenName(name: string): string {
  const info = name.indexOf(INFO);
  if (info < 0) return `${name}${INFO}S`;
  const flagsStart = info + INFO.length;
  const flags = /^[A-Za-z]*/.exec(name.slice(flagsStart))?.[0] ?? "";
  if (flags.includes("S")) return name;
  const sorted = [...flags, "S"].sort().join("");
  return name.slice(0, flagsStart) + sorted + name.slice(flagsStart + flags.length);
}

/**
 * Puts two names in the order in which messages are numbered: by delivery time, then by unique part, then by the rest.
 *
 * @returns below 0 when `a` comes first, above 0 when `b` does
 */
export function compareNames(a: string, b: string): number {
  return compareUnique(a, b) || compareText(a, b);
}

/** The same by delivery time and unique part alone: 0 for names of one unique part. */
export function compareUnique(a: string, b: string): number {
  const [ours, theirs] = [uniquePart(a), uniquePart(b)];
  return deliveryTime(ours) - deliveryTime(theirs) || compareText(ours, theirs);
}

/** Compares by UTF-16 code units, which no locale changes. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
