/** Nothing that a client says can move a cursor, hide or turn text, or begin a new line. */

import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { printable } from "../../lib/bytes/printable.ts";

Deno.test("printable leaves ordinary text alone", () => {
  for (const text of ["", "mrose", "Grüße, 世界 🙂", "a b\u00a0c", `"quoted" <x@y>`]) {
    assertEquals(printable(text), text);
  }
});

Deno.test("printable writes what is unsafe visibly", () => {
  const cases: Record<string, string> = {
    "\x1b[2J": "\\x1b[2J",
    "a\r\nb\0": "a\\x0d\\x0ab\\x00",
    "\x7f\x9b": "\\x7f\\x9b",
    "\u202e\u2066\u200b\ufeff\u00ad": "\\u202e\\u2066\\u200b\\ufeff\\xad",
    "\u2028\u2029": "\\u2028\\u2029",
    "\ud83dx\ude42": "\\ud83dx\\ude42",
    "\u{e0041}": "\\u{e0041}",
    "\\x1b": "\\\\x1b",
  };
  for (const [text, shown] of Object.entries(cases)) assertEquals(printable(text), shown);
});

Deno.test("printable cuts with an ellipsis, never an escape or a character in two", () => {
  assertEquals(printable("abcdef", 6), "abcdef");
  assertEquals(printable("abcdefg", 6), "abcde…");
  assertEquals(printable("ab\x1bcd", 6), "ab…");
  assertEquals(printable("abcd\x1b", 8), "abcd\\x1b");
  assertEquals(printable("abcd🙂🙂", 7), "abcd🙂…");
  assertEquals(printable("abcd🙂🙂", 6), "abcd…");
  assertEquals(printable("x".repeat(1 << 20)).length, 200);
  assertEquals(printable("🙂".repeat(1 << 20), 10), "🙂🙂🙂🙂…");
});

Deno.test("printable is safe, bounded and whole characters, whatever it is given", () => {
  const any = fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  });
  fc.assert(fc.property(any, fc.integer({ min: 1, max: 40 }), (text, maxLength) => {
    const shown = printable(text, maxLength);
    assert(shown.length <= maxLength);
    assert(!/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(shown));
  }));
});
