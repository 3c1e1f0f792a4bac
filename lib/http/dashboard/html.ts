/** HTML as a value that is escaped unless it is HTML already. */

/** A piece of HTML; only {@linkcode markup} and {@linkcode trusted} make it. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Fills values into HTML. Text is escaped, so that it is right between tags and in quoted attributes; pieces of HTML stay; lists are joined.
 *
 * @example
 * ```ts
 * import { markup } from "./html.ts";
 *
 * markup`<td>${"<script>"}</td>`.toString(); // "<td>&lt;script&gt;</td>"
 * ```
 */
export function markup(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | Html | readonly Html[])[]
): Html {
  let text = strings[0] ?? "";
  for (const [at, value] of values.entries()) text += escaped(value) + (strings[at + 1] ?? "");
  return new Html(text);
}

/** Takes text that the program itself holds, such as its style sheet, as it is. */
export function trusted(text: string): Html {
  return new Html(text);
}

function escaped(value: string | number | Html | readonly Html[]): string {
  if (typeof value === "string") return value.replace(/[&<>"']/g, (c) => ESCAPES[c] ?? c);
  return typeof value === "number" || value instanceof Html ? String(value) : value.join("");
}
