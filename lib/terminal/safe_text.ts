/** Makes what a server sent safe for a terminal and for JSON readers, without changing what is harmless. */

import { printable } from "../bytes/printable.ts";

/**
 * Writes control characters and what else a terminal or an eye could be deceived by as escapes. Backslashes stay: here they
 * are part of values that people set, such as a transformer's command line.
 */
export function safe(text: string): string {
  return text.split("\\").map((part) => printable(part, Infinity)).join("\\");
}

/** Writes JSON in which the characters that {@linkcode safe} escapes are escaped, too. */
export function json(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) =>
      Array.from({ length: character.length }, (_, at) => {
        return `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
      }).join(""),
  );
}
