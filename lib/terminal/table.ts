/** Tables with aligned columns. */

import { pad, textWidth } from "./text_width.ts";

/** How a table looks. */
export interface TableOptions {
  /** Titles of the columns. */
  readonly titles?: readonly string[];
  /** Which columns hold numbers, and so are flush right. */
  readonly right?: readonly number[];
}

/** Lays rows out, two blanks between columns, without blanks at the ends of lines. */
export function table(
  rows: readonly (readonly string[])[],
  { titles, right = [] }: TableOptions = {},
): string {
  const all = titles === undefined ? rows : [titles, ...rows];
  const widths: number[] = [];
  for (const row of all) {
    for (const [at, cell] of row.entries()) {
      widths[at] = Math.max(widths[at] ?? 0, textWidth(cell));
    }
  }
  return all
    .map((row) =>
      row.map((cell, at) => pad(cell, widths[at]!, right.includes(at) ? "start" : "end"))
        .join("  ").trimEnd()
    )
    .join("\n");
}
