/** Texts of strangers inside our sentences: short, on one line, and without anything that a terminal obeys. */

import { printable } from "./printable.ts";

/** Longer than every sensible value; an error stays one line of a terminal or two. */
const LONGEST = 80;

/** Puts a text into double quotes, made printable and cut after 80 characters. */
export function quote(text: string): string {
  return `"${printable(text, LONGEST)}"`;
}
