/** How many columns of a terminal a text takes. */

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Marks and invisible characters, which take no column of their own. */
const NARROWLESS = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]$/u;
/** Characters that take two columns: emoji, and East Asian wide and full-width ones (Unicode Standard Annex 11). */
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}])/u;

/** Splits a text into what a reader takes for single characters. */
export function graphemes(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** The columns of one grapheme: 0, 1 or 2. */
export function graphemeWidth(grapheme: string): number {
  if (WIDE.test(grapheme) || grapheme.includes("\ufe0f")) return 2;
  return NARROWLESS.test(grapheme) ? 0 : 1;
}

/** The columns of a text. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return graphemes(text).reduce((sum, each) => sum + graphemeWidth(each), 0);
}

/** Cuts a text so that it fits; what is cut ends with an ellipsis. */
export function fit(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let fitting = "";
  let columns = 1;
  for (const each of graphemes(text)) {
    columns += graphemeWidth(each);
    if (columns > width) break;
    fitting += each;
  }
  return width < 1 ? "" : `${fitting}…`;
}

/** Fills a text up with blanks, behind it or before it, to a number of columns. */
export function pad(text: string, width: number, side: "end" | "start" = "end"): string {
  const blanks = " ".repeat(Math.max(0, width - textWidth(text)));
  return side === "end" ? text + blanks : blanks + text;
}
