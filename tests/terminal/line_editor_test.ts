/** Tests keys, line editor, history and completion: octets go in, and what stands on the screen is looked at. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { commonStart, complete } from "../../lib/cli/admin/completion.ts";
import { History } from "../../lib/terminal/history.ts";
import { KeyDecoder } from "../../lib/terminal/keys.ts";
import { LineEditor } from "../../lib/terminal/line_editor.ts";
import { inColumns } from "../../lib/cli/admin/prompt.ts";
import { fit, graphemes, pad, textWidth } from "../../lib/terminal/text_width.ts";

const encoder = new TextEncoder();

/** Types octets into an editor; the line, with `|` for the cursor. */
function typed(octets: string, history = new History()): string {
  const editor = new LineEditor(history);
  for (const key of new KeyDecoder().feed(encoder.encode(octets))) editor.press(key);
  return `${editor.beforeCursor}|${editor.line.slice(editor.beforeCursor.length)}`;
}

const LEFT = "\x1b[D";
const UP = "\x1b[A";
const DOWN = "\x1b[B";

Deno.test("keys move and erase as people expect", () => {
  assertEquals(typed("abc"), "abc|");
  assertEquals(typed(`abc${LEFT}${LEFT}x`), "ax|bc");
  assertEquals(typed("abc\x01x\x05y"), "xabcy|");
  assertEquals(typed("abc\x1b[Hx\x1b[Fy"), "xabcy|");
  assertEquals(typed("abc\x1bOHx\x1b[4~y"), "xabcy|");
  assertEquals(typed(`abc${LEFT}\x7f`), "a|c");
  assertEquals(typed(`abc${LEFT}\x1b[3~`), "ab|");
  assertEquals(typed("add user bob\x17"), "add user |");
  assertEquals(typed("add user bob  \x17\x17"), "add |");
  assertEquals(typed("add user\x1b[1;5Dx"), "add x|user");
  assertEquals(typed("add user\x01\x1bfx"), "addx| user");
  assertEquals(typed(`abc${LEFT}\x0b`), "ab|");
  assertEquals(typed(`abc${LEFT}\x15`), "|c");
  assertEquals(typed(`abc${LEFT}\x04`), "ab|");
  assertEquals(typed("\x7f\x1b[3~\x17\x15\x0b"), "|");
});

Deno.test("characters of several octets and columns are single characters", () => {
  assertEquals(typed(`日本${LEFT}語`), "日語|本");
  assertEquals(typed("e\u0301\x7f"), "|");
  assertEquals(typed("👩‍👩‍👧x\x7f\x7f"), "|");
  assertEquals(textWidth("日本é👩‍👩‍👧"), 7);
  assertEquals(fit("日本語", 5), "日本…");
  assertEquals(pad("日", 4), "日  ");
});

Deno.test("octets and sequences may be cut anywhere", () => {
  const octets = encoder.encode(`日本${LEFT}x\x1b[1;5D\x1b[3~é`);
  const whole = new LineEditor(new History());
  for (const key of new KeyDecoder().feed(octets)) whole.press(key);
  for (let at = 0; at <= octets.length; at++) {
    const decoder = new KeyDecoder();
    const editor = new LineEditor(new History());
    const keys = [...decoder.feed(octets.slice(0, at)), ...decoder.feed(octets.slice(at))];
    for (const key of keys) editor.press(key);
    assertEquals([editor.line, editor.beforeCursor], [whole.line, whole.beforeCursor]);
  }
});

Deno.test("an ESC alone is a key once nothing follows, and unknown sequences are dropped whole", () => {
  const decoder = new KeyDecoder();
  assertEquals(decoder.feed(encoder.encode("\x1b")), []);
  assertEquals(decoder.undecided, true);
  assertEquals(decoder.settle(), [{ kind: "escape" }]);
  assertEquals(decoder.feed(encoder.encode("\x1b[99~a\x1b[?1;2ch")), [
    { kind: "text", text: "a" },
    { kind: "text", text: "h" },
  ]);
});

Deno.test("whatever is typed, the line holds no control character and the cursor is in sight", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 2, max: 20 }), (
    octets,
    width,
  ) => {
    const editor = new LineEditor(new History());
    const decoder = new KeyDecoder();
    for (const key of [...decoder.feed(octets), ...decoder.settle()]) editor.press(key);
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    assertEquals(/[\x00-\x1f\x7f-\x9f]/.test(editor.line), false);
    const { text, column } = editor.view(width);
    assertEquals(column >= 0 && column < width && textWidth(text) < width, true);
    assertEquals(editor.line.startsWith(editor.beforeCursor), true);
    assertEquals(graphemes(editor.line).join(""), editor.line);
  }));
});

Deno.test("a line wider than the terminal scrolls", () => {
  const editor = new LineEditor(new History());
  editor.replace("0123456789");
  assertEquals(editor.view(5), { text: "6789", column: 4 });
  editor.press({ kind: "home" });
  assertEquals(editor.view(5), { text: "0123", column: 0 });
});

Deno.test("history goes back and forth, and keeps the line being written", () => {
  const history = new History();
  for (const line of ["users", "stat", "stat", "  ", "sessions"]) history.add(line);
  assertEquals(typed(`dra${UP}`, history), "sessions|");
  history.rewind();
  assertEquals(typed(`dra${UP}${UP}${UP}${UP}`, history), "users|");
  history.rewind();
  assertEquals(typed(`dra${UP}${UP}${DOWN}${DOWN}${DOWN}`, history), "dra|");
});

Deno.test("Ctrl-R searches backwards, again and again", () => {
  const history = new History();
  for (const line of ["list alice", "list bob", "users"]) history.add(line);
  assertEquals(typed("\x12li", history), "list bob|");
  assertEquals(typed("\x12li\x12", history), "list alice|");
  assertEquals(typed("\x12li\x12\x12\x01x", history), "x|list alice");
  assertEquals(typed("abc\x12li\x07", history), "abc|");
});

/** How a line goes on, with these users. */
async function completed(before: string): Promise<readonly string[]> {
  const names = (kind: string): Promise<readonly string[]> =>
    Promise.resolve(
      kind === "user" ? ["alice", "albert", "bob"] : kind === "metric" ? ["pop3.logins"] : [],
    );
  return (await complete(before, names)).candidates;
}

Deno.test("TAB completes commands, keys, users and figures", async () => {
  assertEquals(await completed("cur"), ["current"]);
  assertEquals(await completed("current "), ["connections", "logged"]);
  assertEquals(await completed("current connections a"), ["amount"]);
  assertEquals(await completed("delete user al"), ["albert", "alice"]);
  assertEquals(await completed("logs b"), ["bob"]);
  assertEquals(await completed("logs bob "), []);
  assertEquals(await completed("stat "), ["pop3.logins"]);
  assertEquals(await completed("set max_tr"), ["max_transformers"]);
  assertEquals(await completed("set adm"), [], "what cannot be set is not offered");
  assertEquals(await completed("get admin_p"), ["admin_port"]);
  assertEquals(await completed("max conn"), ["connections"]);
  assertEquals(await completed("SESS"), ["SESSIONS"]);
  assertEquals(await completed("nonsense "), []);
  assertEquals(commonStart(["albert", "alice"]), "al");
  assertEquals(commonStart([]), "");
});

Deno.test("candidates are listed in columns, as harmless text", () => {
  assertEquals(inColumns(["a", "b", "c", "d", "e"], 9), "a  c  e\r\nb  d");
  assertEquals(inColumns(["\x1b[2J"], 9), "\\x1b[2J");
});
