/** Lines come out whole, bounded and in order, however they came in. */

import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { LineBuffer } from "../../lib/bytes/line_buffer.ts";
import { octetsOf, textOf } from "../support/awkward_messages.ts";
import { cuts, piecesOf } from "./arbitraries.ts";

/** Takes what there is, and holds `hasLine` against it. */
function taken(lines: LineBuffer): string[] {
  const all: string[] = [];
  for (;;) {
    const told = lines.hasLine;
    const line = lines.next();
    assertEquals(told, line !== undefined);
    if (line === undefined) return all;
    all.push(typeof line === "string" ? `<${line}>` : textOf(line));
  }
}

/** What must come out: lines as a split sees them. */
function expected(input: string, limit: number): string[] {
  return input.split("\n").slice(0, -1).map((line) =>
    line.length + 1 > limit ? "<too-long>" : line.replace(/\r$/, "")
  );
}

Deno.test("LineBuffer takes CRLF and bare LF as line ends, and keeps a CR elsewhere", () => {
  const lines = new LineBuffer(255);
  lines.push(octetsOf("NOOP\r\nSTAT\n\r\n\nA\rB\r\nC\r\r\nrest"));
  assertEquals(taken(lines), ["NOOP", "STAT", "", "", "A\rB", "C\r"]);
  assertEquals(lines.pending, 4);
});

Deno.test("LineBuffer gives the same lines at every cut", () => {
  const input = "USER a\r\nPASS b c\nQUIT\r\n" + "x".repeat(40) + "\r\n\r\n\nLIST\r\n";
  for (let cut = 0; cut <= input.length; cut++) {
    for (let second = cut; second <= input.length; second++) {
      const lines = new LineBuffer(16);
      const got: string[] = [];
      for (const part of [input.slice(0, cut), input.slice(cut, second), input.slice(second)]) {
        lines.push(octetsOf(part));
        got.push(...taken(lines));
      }
      assertEquals(got, expected(input, 16));
    }
  }
});

Deno.test("LineBuffer gives the same lines of random input, taken now or later", () => {
  const input = fc.array(
    fc.oneof(fc.constantFrom("\r\n", "\n", "\r"), fc.nat(30).map((length) => "x".repeat(length))),
    { maxLength: 40 },
  ).map((pieces) => pieces.join(""));
  fc.assert(fc.property(input, cuts, fc.boolean(), (text, lengths, late) => {
    const lines = new LineBuffer(20);
    const got: string[] = [];
    for (const piece of piecesOf(octetsOf(text), lengths)) {
      lines.push(piece);
      if (!late) got.push(...taken(lines));
    }
    got.push(...taken(lines));
    assertEquals(got, expected(text, 20));
  }));
});

Deno.test("LineBuffer counts the line end into the limit", () => {
  const lines = new LineBuffer(10);
  lines.push(octetsOf("12345678\r\n123456789\n123456789\r\n1234567890\nok\r\n"));
  assertEquals(taken(lines), ["12345678", "123456789", "<too-long>", "<too-long>", "ok"]);
});

Deno.test("LineBuffer holds nothing of an endless line, and tells it once", () => {
  const lines = new LineBuffer(255);
  const flood = new Uint8Array(64 * 1024).fill(0x41);
  for (let round = 0; round < 1000; round++) {
    lines.push(flood);
    assertEquals(lines.hasLine, false);
    assertEquals(lines.pending, 0);
    assertEquals(lines.next(), undefined);
  }
  lines.push(octetsOf("AAAA\r\nNOOP\r\n"));
  assertEquals(taken(lines), ["<too-long>", "NOOP"]);
});

Deno.test("LineBuffer holds less than the limit of a line that comes octet by octet", () => {
  const lines = new LineBuffer(255);
  for (let count = 0; count < 1000; count++) {
    lines.push(octetsOf("x"));
    assert(lines.pending < 255);
  }
  lines.push(octetsOf("\nNOOP\n"));
  assertEquals(taken(lines), ["<too-long>", "NOOP"]);
});

Deno.test("LineBuffer judges a line by the limit of the moment it is taken", () => {
  const lines = new LineBuffer(255);
  const response = "x".repeat(3000);
  lines.push(octetsOf(`AUTH PLAIN\r\n${response}\r\nNOOP\r\n${response}\r\n`));
  assertEquals(textOf(lines.next() as Uint8Array), "AUTH PLAIN");
  lines.limit = 12_288;
  assertEquals(textOf(lines.next() as Uint8Array), response);
  lines.limit = 255;
  assertEquals(taken(lines), ["NOOP", "<too-long>"]);
});

Deno.test("LineBuffer waits for the rest of a pipelined long line where the limit was raised in time", () => {
  const lines = new LineBuffer(255);
  const response = "x".repeat(3000);
  lines.push(octetsOf(`AUTH PLAIN\r\n${response}`));
  assertEquals(textOf(lines.next() as Uint8Array), "AUTH PLAIN");
  lines.limit = 12_288;
  assertEquals(lines.next(), undefined);
  lines.push(octetsOf("\r\n"));
  assertEquals(taken(lines), [response]);
});

Deno.test("LineBuffer copies what it keeps, and what it gives is the caller's", () => {
  const lines = new LineBuffer(255);
  const shared = octetsOf("ONE\r\nTWO\r\nTHR");
  lines.push(shared);
  shared.fill(0);
  const first = lines.next() as Uint8Array;
  lines.push(octetsOf("EE\r\n"));
  assertEquals(textOf(first), "ONE");
  first.fill(0);
  assertEquals(taken(lines), ["TWO", "THREE"]);
});

Deno.test("LineBuffer forgets everything when it is cleared", () => {
  const inputs = ["CAPA\r\nUSER a\r\nPA", "x".repeat(300), `${"x".repeat(300)}\r\n`];
  for (const input of inputs) {
    const lines = new LineBuffer(255);
    lines.push(octetsOf(input));
    lines.clear();
    assertEquals([lines.hasLine, lines.pending, lines.next()], [false, 0, undefined]);
    lines.push(octetsOf("NOOP\r\n"));
    assertEquals(taken(lines), ["NOOP"]);
  }
});

Deno.test("LineBuffer takes a million short lines of one push without copying them again and again", () => {
  const lines = new LineBuffer(255);
  lines.push(octetsOf("NOOP\r\n".repeat(1_000_000)));
  let count = 0;
  while (lines.next() !== undefined) count++;
  assertEquals(count, 1_000_000);
  assertEquals(lines.pending, 0);
});

Deno.test("LineBuffer tells each of several over-long lines that ended before one was taken", () => {
  const lines = new LineBuffer(20);
  for (const piece of [`${"x".repeat(20)}`, `\r\n${"y".repeat(20)}`, "\r\nok\r\n"]) {
    lines.push(octetsOf(piece));
  }
  assertEquals(taken(lines), ["<too-long>", "<too-long>", "ok"]);
});
