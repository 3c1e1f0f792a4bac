/** Texts of strangers inside our sentences: short, and without anything that a terminal obeys. */

const LONGEST = 80;

/**
 * Puts a text into double quotes, escaped as JSON escapes it and cut after 80 characters.
 *
 * @returns printable ASCII and printable characters beyond it, on one line
 */
export function quote(text: string): string {
  const characters = Array.from(text.slice(0, 2 * LONGEST + 2));
  const cut = characters.length > LONGEST;
  const shown = JSON.stringify(cut ? characters.slice(0, LONGEST).join("") : text)
    .replaceAll(
      /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  return cut ? `${shown.slice(0, -1)}…"` : shown;
}
