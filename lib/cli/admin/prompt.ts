/** Asks for a line on a terminal: draws what the editor holds, and completes by TAB. */

import type { Keyboard } from "../../terminal/keyboard.ts";
import { print } from "../../terminal/output.ts";
import { commonStart, complete, type NamesOf } from "./completion.ts";
import type { History } from "../../terminal/history.ts";
import { LineEditor } from "../../terminal/line_editor.ts";
import { safe } from "../../terminal/safe_text.ts";
import { pad, textWidth } from "../../terminal/text_width.ts";

/** What a prompt needs. */
export interface PromptOptions {
  readonly keyboard: Keyboard;
  readonly history: History;
  /** What stands before the line. */
  readonly text: string;
  readonly names: NamesOf;
}

/** How a prompt ended: a line, Ctrl-C, or Ctrl-D and the terminal's end. */
export type PromptOutcome =
  | { readonly kind: "line"; readonly line: string }
  | { readonly kind: "cancelled" }
  | { readonly kind: "left" };

/** Candidates that are listed at most. */
const MOST_LISTED = 200;

/** Asks for one line. */
export async function prompt(options: PromptOptions): Promise<PromptOutcome> {
  const { keyboard, history } = options;
  const editor = new LineEditor(history);
  history.rewind();
  keyboard.take();
  try {
    draw(editor, options);
    for (;;) {
      const key = await keyboard.next();
      if (key === undefined) return end({ kind: "left" });
      const request = editor.press(key);
      switch (request.kind) {
        case "submit":
          draw(editor, options);
          return end({ kind: "line", line: request.line });
        case "cancel":
          print("^C");
          return end({ kind: "cancelled" });
        case "leave":
          return end({ kind: "left" });
        case "clear-screen":
          print("\x1b[H\x1b[2J");
          break;
        case "complete":
          await completeIn(editor, options);
          break;
      }
      draw(editor, options);
    }
  } finally {
    keyboard.release();
  }
}

function end(outcome: PromptOutcome): PromptOutcome {
  print("\r\n");
  return outcome;
}

/** Draws the line anew, on the one row that it has. */
function draw(editor: LineEditor, { text }: PromptOptions): void {
  const { searching } = editor;
  const lead = searching === undefined ? text : `(search) ${safe(searching)}: `;
  const room = Math.max(8, columns() - textWidth(lead));
  const { text: seen, column } = editor.view(room);
  const right = textWidth(lead) + column;
  print(`\r${lead}${safe(seen)}\x1b[K\r${right > 0 ? `\x1b[${right}C` : ""}`);
}

async function completeIn(editor: LineEditor, { names }: PromptOptions): Promise<void> {
  const { start, candidates } = await complete(editor.beforeCursor, names);
  if (candidates.length === 0) return;
  const word = editor.beforeCursor.slice(start);
  const common = commonStart(candidates);
  if (candidates.length === 1) editor.replaceBefore(start, `${common} `);
  else if (common.length > word.length) editor.replaceBefore(start, common);
  else print(`\r\n${inColumns(candidates, columns())}\r\n`);
}

/** Lays names out in columns, down first, as `ls` does. */
export function inColumns(names: readonly string[], width: number): string {
  const listed = names.slice(0, MOST_LISTED).map(safe);
  const widest = Math.max(...listed.map(textWidth)) + 2;
  const across = Math.max(1, Math.floor(width / widest));
  const down = Math.ceil(listed.length / across);
  const rows = Array.from(
    { length: down },
    (_, row) =>
      Array.from({ length: across }, (_, column) => pad(listed[column * down + row] ?? "", widest))
        .join("").trimEnd(),
  );
  if (names.length > listed.length) rows.push(`… ${names.length - listed.length} more`);
  return rows.join("\r\n");
}

/** How wide the terminal is now. */
function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80; // Standard output is no terminal, or tells no size.
  }
}
