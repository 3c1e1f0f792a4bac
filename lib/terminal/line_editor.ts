/** Edits one line, key by key; knows nothing of terminals. */

import type { History } from "./history.ts";
import type { Key } from "./keys.ts";
import { graphemes, graphemeWidth, textWidth } from "./text_width.ts";

/** What a key asks for beyond the line itself. */
export type EditorRequest =
  | { readonly kind: "edit" }
  | { readonly kind: "submit"; readonly line: string }
  | { readonly kind: "cancel" }
  | { readonly kind: "leave" }
  | { readonly kind: "complete" }
  | { readonly kind: "clear-screen" };

/** The part of the line that is seen. */
export interface View {
  readonly text: string;
  /** The column of the cursor within it. */
  readonly column: number;
}

const EDIT: EditorRequest = { kind: "edit" };

/** A line under way. Positions are between graphemes. */
export class LineEditor {
  readonly #history: History;
  #characters: string[] = [];
  #at = 0;
  #search: { text: string; skip: number; readonly before: string } | undefined;

  constructor(history: History) {
    this.#history = history;
  }

  /** The whole line. */
  get line(): string {
    return this.#characters.join("");
  }

  /** What stands before the cursor. */
  get beforeCursor(): string {
    return this.#characters.slice(0, this.#at).join("");
  }

  /** What is being searched for, while it is. */
  get searching(): string | undefined {
    return this.#search?.text;
  }

  /** Puts another line in place, the cursor at its end. */
  replace(line: string): void {
    this.#characters = graphemes(line);
    this.#at = this.#characters.length;
  }

  /** Puts another text in place of what stands before the cursor from `start` (in UTF-16 units) on. */
  replaceBefore(start: number, text: string): void {
    const after = this.#characters.slice(this.#at).join("");
    const before = this.beforeCursor.slice(0, start) + text;
    this.replace(before + after);
    this.#at = graphemes(before).length;
  }

  /** Does what a key means. */
  press(key: Key): EditorRequest {
    if (this.#search !== undefined && this.#searchOn(key, this.#search)) return EDIT;
    if (key.kind === "text") {
      this.#insert(key.text);
      return EDIT;
    }
    switch (key.kind) {
      case "enter":
        return { kind: "submit", line: this.line };
      case "cancel":
        return { kind: "cancel" };
      case "end-of-input":
        if (this.#characters.length === 0) return { kind: "leave" };
        this.#erase(this.#at, this.#at + 1);
        return EDIT;
      case "tab":
        return { kind: "complete" };
      case "clear-screen":
        return { kind: "clear-screen" };
      case "search":
        this.#search = { text: "", skip: 0, before: this.line };
        return EDIT;
      default:
        this.#edit(key.kind);
        return EDIT;
    }
  }

  /**
   * What is seen of the line where there is not room for all of it: the cursor is always in sight.
   *
   * @param width columns
   */
  view(width: number): View {
    const widths = this.#characters.map(graphemeWidth);
    let start = 0;
    let column = textWidth(this.beforeCursor);
    while (column > width - 1 && start < this.#at) column -= widths[start++]!;
    let end = start;
    let columns = 0;
    while (end < widths.length && columns + widths[end]! < width) columns += widths[end++]!;
    return { text: this.#characters.slice(start, end).join(""), column };
  }

  #edit(kind: Key["kind"]): void {
    const end = this.#characters.length;
    switch (kind) {
      case "left":
        this.#at = Math.max(0, this.#at - 1);
        return;
      case "right":
        this.#at = Math.min(end, this.#at + 1);
        return;
      case "home":
        this.#at = 0;
        return;
      case "end":
        this.#at = end;
        return;
      case "word-left":
        this.#at = this.#wordStart();
        return;
      case "word-right":
        this.#at = this.#wordEnd();
        return;
      case "backspace":
        return this.#erase(this.#at - 1, this.#at);
      case "delete":
        return this.#erase(this.#at, this.#at + 1);
      case "erase-word":
        return this.#erase(this.#wordStart(), this.#at);
      case "erase-before":
        return this.#erase(0, this.#at);
      case "erase-after":
        return this.#erase(this.#at, end);
      case "up":
        return this.#recall(this.#history.older(this.line));
      case "down":
        return this.#recall(this.#history.newer());
    }
  }

  #insert(text: string): void {
    // A mark joins the character before it, so the characters are found anew.
    const before = this.beforeCursor + text;
    const after = this.#characters.slice(this.#at).join("");
    this.#characters = graphemes(before + after);
    this.#at = graphemes(before).length;
  }

  #erase(from: number, to: number): void {
    if (from < 0) return;
    this.#characters.splice(from, to - from);
    this.#at = from;
  }

  #recall(line: string | undefined): void {
    if (line !== undefined) this.replace(line);
  }

  #wordStart(): number {
    let at = this.#at;
    while (at > 0 && this.#characters[at - 1] === " ") at--;
    while (at > 0 && this.#characters[at - 1] !== " ") at--;
    return at;
  }

  #wordEnd(): number {
    const end = this.#characters.length;
    let at = this.#at;
    while (at < end && this.#characters[at] === " ") at++;
    while (at < end && this.#characters[at] !== " ") at++;
    return at;
  }

  /** A key while searching: returns whether the search has used it. Any other key ends the search with what it found. */
  #searchOn(key: Key, search: { text: string; skip: number; readonly before: string }): boolean {
    switch (key.kind) {
      case "text":
        search.text += key.text;
        search.skip = 0;
        break;
      case "backspace":
        search.text = graphemes(search.text).slice(0, -1).join("");
        search.skip = 0;
        break;
      case "search":
        if (this.#history.find(search.text, search.skip + 1) !== undefined) search.skip++;
        break;
      case "escape":
      case "cancel":
        this.replace(search.before);
        this.#search = undefined;
        return true;
      default:
        this.#search = undefined;
        return false;
    }
    this.#recall(this.#history.find(search.text, search.skip));
    return true;
  }
}
