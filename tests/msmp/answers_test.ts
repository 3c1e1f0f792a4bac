// How lines are made to fit: 512 octets in all in version 1, 512 a line in version 2, nothing that a terminal acts on.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ANSWER_OCTETS, fitted } from "../../lib/msmp/answers.ts";
import { clipped, field, octetsOf, shown, timeText, timeWord } from "../../lib/msmp/text.ts";

const line = fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => shown(text));
const octets = (lines: readonly string[]): number =>
  lines.reduce((sum, text) => sum + octetsOf(text) + 2, 0);

Deno.test("an answer of version 1 never has more than 512 octets, and its lines add up", () => {
  fc.assert(fc.property(
    fc.array(line, { maxLength: 60 }),
    fc.nat(100_000),
    fc.constantFrom("first" as const, "last" as const),
    (lines, others, kept) => {
      const total = lines.length + others;
      const answer = fitted(lines, total, kept);
      assert(octets(answer) <= ANSWER_OCTETS);
      assertEquals(answer[0], "+OK");
      const shownLines = answer.slice(1);
      const more = /^\.\.\. (\d+) more$/.exec(shownLines.at(-1) ?? "");
      const shownCount = more === null ? shownLines.length : shownLines.length - 1;
      assertEquals(shownCount + Number(more?.[1] ?? 0), total);
    },
  ));
});

Deno.test("what fits exactly is not cut; an octet more leaves a line out", () => {
  const exact = ["x".repeat(ANSWER_OCTETS - 5 - 2 - 3), "y"];
  assertEquals(octets(fitted(exact, 2, "first")), ANSWER_OCTETS);
  assertEquals(fitted(exact, 2, "first").length, 3);
  const over = [`${exact[0]}x`, "y"];
  assertEquals(fitted(over, 2, "last"), ["+OK", "y", "... 1 more"]);
  assertEquals(fitted(over, 2, "first"), ["+OK", "... 2 more"]);
});

Deno.test("LIST keeps the first lines and LOGS the last", () => {
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index} of a hundred`);
  const first = fitted(lines, 100, "first");
  const last = fitted(lines, 100, "last");
  assertEquals(first[1], lines[0]);
  assertEquals(last.at(-2), lines[99]);
  assertEquals(first.at(-1), last.at(-1));
});

Deno.test("a line is cut at 512 octets with its end and its dot, at a character's border", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 700 }), (text) => {
    const cut = clipped(text);
    assert(octetsOf(`.${cut}`) + 2 <= 512);
    assert(cut === text || (cut.endsWith("…") && text.startsWith(cut.slice(0, -1))));
  }));
  assertEquals(clipped("a".repeat(509)), "a".repeat(509));
  assertEquals(clipped("a".repeat(510)), `${"a".repeat(506)}…`);
});

Deno.test("text in an answer holds nothing that a terminal or a reader of lines acts on", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
    assert(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(shown(text)));
    assert(!field(text).includes(" "));
  }));
  assertEquals(shown("C:\\mail"), "C:\\mail");
  assertEquals(shown("\x1b[2J\\"), "\\x1b[2J\\\\");
  assertEquals(field(""), "-");
  assertEquals(field(undefined), "-");
  assertEquals(field("a b"), "a\\x20b");
});

Deno.test("times are in UTC", () => {
  const at = Date.UTC(2026, 0, 31, 12, 0, 0, 999);
  assertEquals(timeText(at), "2026-01-31 12:00:00");
  assertEquals(timeWord(at), "2026-01-31T12:00:00Z");
});
