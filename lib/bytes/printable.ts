/** Makes text of clients safe to show. */

/**
 * What must not reach a log, an answer or a terminal: C0 and C1 controls and DEL (Cc), invisible and
 * direction-changing format characters (Cf), line and paragraph separators (Zl, Zp), lone surrogates (Cs); and
 * the backslash, so that what is shown has one meaning.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\\]/gu;

/**
 * Makes `text` safe for logs, answers and terminals: what is unsafe is written visibly (`\x1b`, `\u202e`,
 * `\u{e0001}`, `\\`), and what is too long is cut and ends with an ellipsis.
 *
 * @param maxLength the longest result, in UTF-16 units, ellipsis included; an escape is never cut in two
 *
 * @example
 * ```ts
 * printable("\x1b[2Jroot"); // "\\x1b[2Jroot"
 * printable("a long line", 7); // "a long…"
 * ```
 */
export function printable(text: string, maxLength = 200): string {
  // No escape makes a text shorter, so what is beyond cannot matter; two more, lest a pair of surrogates be cut.
  const looked = text.length > maxLength + 2 ? text.slice(0, maxLength + 2) : text;
  const escaped = looked.replace(UNSAFE, escape);
  if (escaped.length <= maxLength && looked.length === text.length) return escaped;
  let shown = "";
  for (const character of looked) {
    const next = character.replace(UNSAFE, escape);
    if (shown.length + next.length > maxLength - 1) break;
    shown += next;
  }
  return `${shown}…`;
}

function escape(character: string): string {
  if (character === "\\") return "\\\\";
  const code = character.codePointAt(0) as number;
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`;
}
