/** How values stand in answers: on one line, harmless to a terminal, and not too long. */

import { printable } from "../bytes/printable.ts";

/** Octets of a line of an answer with its CRLF (docs/msmp.md, "Answers"). */
export const LINE_OCTETS = 512;

/** What a terminal or a line reader would act on. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

const encoder = new TextEncoder();
// CRLF, and the dot that a line which begins with one gets.
const room = new Uint8Array(LINE_OCTETS - 3);

/** A text in an answer: as it is where that is harmless, else with escapes such as `\x1b` (and `\\`). */
export function shown(text: string): string {
  return UNSAFE.test(text) ? printable(text, LINE_OCTETS) : text;
}

/** A value between blanks: a blank in it stands as `\x20`, nothing at all as `-`. */
export function field(text: string | undefined): string {
  return text === undefined || text === "" ? "-" : shown(text).replaceAll(" ", "\\x20");
}

/** Cuts a line to {@linkcode LINE_OCTETS}, at a character's border; what is cut ends with an ellipsis. */
export function clipped(line: string): string {
  if (line.length * 3 <= room.length) return line;
  const { read } = encoder.encodeInto(line, room);
  if (read === line.length) return line;
  const fits = encoder.encodeInto(line, room.subarray(3)).read;
  return `${line.slice(0, fits)}…`;
}

/** Octets of a text in UTF-8. */
export function octetsOf(text: string): number {
  return encoder.encode(text).length;
}

/** A time in UTC: `2026-01-31 12:00:00`. @param at milliseconds since 1970 */
export function timeText(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

/** The same as one word: `2026-01-31T12:00:00Z`. @param at milliseconds since 1970 */
export function timeWord(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
