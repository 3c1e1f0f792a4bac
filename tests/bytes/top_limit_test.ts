/** TOP's part of a message ends at the same octet, however the message is cut. */

import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { MessageEncoder } from "../../lib/bytes/message_encoder.ts";
import { TopLimit } from "../../lib/bytes/top_limit.ts";
import { AWKWARD_MESSAGES, BIG_MESSAGES, octetsOf, textOf } from "../support/awkward_messages.ts";
import { cuts, message, piecesOf } from "./arbitraries.ts";

function top(pieces: readonly Uint8Array[], lines: number): string {
  const limit = new TopLimit(lines);
  let text = "";
  for (const piece of pieces) {
    text += textOf(piece.subarray(0, limit.take(piece)));
    if (limit.done) assertEquals(limit.take(octetsOf("more")), 0);
  }
  return text;
}

/** The same from the whole text: lines with their ends, the first empty one, and `count` more. */
function expected(text: string, count: number): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const empty = lines.findIndex((line) => line === "\n" || line === "\r\n");
  return (empty < 0 ? lines : lines.slice(0, empty + 1 + count)).join("");
}

Deno.test("TopLimit says what is written down by hand", () => {
  const body = "a: b\r\n\r\none\r\ntwo\r\nthree";
  const cases: [string, number, string][] = [
    [body, 0, "a: b\r\n\r\n"],
    [body, 1, "a: b\r\n\r\none\r\n"],
    [body, 2, "a: b\r\n\r\none\r\ntwo\r\n"],
    [body, 3, body],
    [body, 99_999_999, body],
    [body, Number.MAX_SAFE_INTEGER, body],
    ["", 5, ""],
    ["a: b", 0, "a: b"],
    ["a: b\n", 0, "a: b\n"],
    ["a: b\n\n", 7, "a: b\n\n"],
    ["\nBody\nmore\n", 1, "\nBody\n"],
    ["\r\nBody", 0, "\r\n"],
    ["a\n\r\rb\n\r\r\nc\n\nd\n", 0, "a\n\r\rb\n\r\r\nc\n\n"],
    ["a: b\n\nx\ry\rz\nend\n", 1, "a: b\n\nx\ry\rz\n"],
    ["a: b\n\n\n\n\n", 2, "a: b\n\n\n\n"],
  ];
  for (const [stored, lines, wanted] of cases) {
    assertEquals(top([octetsOf(stored)], lines), wanted);
  }
});

Deno.test("TopLimit ends every awkward message right, cut at every octet", () => {
  for (const [name, stored] of AWKWARD_MESSAGES) {
    for (const lines of [0, 1, 2, 3, 1000]) {
      const wanted = expected(textOf(stored), lines);
      for (let cut = 0; cut <= stored.length; cut++) {
        const got = top([stored.subarray(0, cut), stored.subarray(cut)], lines);
        if (got !== wanted) assertEquals(got, wanted, `${name}, ${lines} lines, cut at ${cut}`);
      }
    }
  }
});

Deno.test("TopLimit ends random messages right, cut anywhere", () => {
  fc.assert(fc.property(message, cuts, fc.nat(12), (stored, lengths, lines) => {
    assertEquals(top(piecesOf(stored, lengths), lines), expected(textOf(stored), lines));
  }));
});

Deno.test("TopLimit with more lines than there are takes the whole of big messages", () => {
  for (const [name, stored] of BIG_MESSAGES) {
    const limit = new TopLimit(99_999_999);
    assertEquals(limit.take(stored), stored.length, name);
    assert(!limit.done);
  }
});

Deno.test("TopLimit finds the end in the midst of a big body, and of a big header", () => {
  const header = "X-Header: value\n".repeat(100_000);
  const wanted = `${header}\n${"line\n".repeat(300_000)}`;
  assert(top([octetsOf(`${wanted}${"line\n".repeat(300_000)}`)], 300_000) === wanted);
  assert(top([octetsOf(`${wanted}more\n`)], 0) === `${header}\n`);
});

Deno.test("TopLimit reads what lies in an encoder's space, at any place, and leaves the rest alone", () => {
  using encoder = MessageEncoder.take();
  const firstLine = "+OK a\n\n";
  for (const [name, stored] of AWKWARD_MESSAGES) {
    const wanted = expected(textOf(stored), 1);
    for (let cut = 0; cut <= stored.length; cut++) {
      const limit = new TopLimit(1);
      encoder.append(octetsOf(firstLine.slice(cut % firstLine.length)));
      const before = textOf(encoder.pending());
      for (const part of [stored.subarray(0, cut), stored.subarray(cut)]) {
        const space = encoder.space().subarray(0, part.length);
        space.set(part);
        encoder.advance(limit.take(space));
      }
      const got = textOf(encoder.pending());
      if (got !== before + wanted) assertEquals(got, before + wanted, `${name}, cut at ${cut}`);
      encoder.drained();
    }
  }
});

Deno.test("TopLimit is done as soon as its last line ended", () => {
  const limit = new TopLimit(1);
  limit.take(octetsOf("a: b\r\n\r\none\r"));
  assertEquals(limit.done, false);
  assertEquals(limit.take(octetsOf("\n")), 1);
  assertEquals(limit.done, true);
});
