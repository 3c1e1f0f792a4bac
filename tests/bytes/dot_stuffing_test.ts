/** The twin in TypeScript does what RFC 1939, section 3, says. */

import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { DotStuffer } from "../../lib/bytes/dot_stuffing.ts";
import {
  AWKWARD_MESSAGES,
  octetsOf,
  stuffedForm,
  textOf,
  unstuffed,
  wireForm,
} from "../support/awkward_messages.ts";
import { cuts, joined, message, piecesOf } from "./arbitraries.ts";

function stuffed(pieces: readonly Uint8Array[]): Uint8Array {
  const stuffer = new DotStuffer();
  return joined([...pieces.map((piece) => stuffer.stuff(piece)), stuffer.end()]);
}

Deno.test("DotStuffer says what is written down by hand", () => {
  const cases: Record<string, string> = {
    "": "\r\n.\r\n",
    "a": "a\r\n.\r\n",
    "a\n": "a\r\n.\r\n",
    "a\r\n": "a\r\n.\r\n",
    "a\r": "a\r\r\n.\r\n",
    ".": "..\r\n.\r\n",
    ".\n.\r\n": "..\r\n..\r\n.\r\n",
    "a\r.b": "a\r.b\r\n.\r\n",
    "a\r\r\n.": "a\r\r\n..\r\n.\r\n",
    "\n\n": "\r\n\r\n.\r\n",
    "\0\xff\n": "\0\xff\r\n.\r\n",
  };
  for (const [stored, wire] of Object.entries(cases)) {
    assertEquals(textOf(stuffed([octetsOf(stored)])), wire);
  }
});

Deno.test("DotStuffer makes every awkward message right, cut at every octet", () => {
  for (const [name, stored] of AWKWARD_MESSAGES) {
    const wire = textOf(stuffedForm(stored));
    for (let cut = 0; cut <= stored.length; cut++) {
      const pieces = [stored.subarray(0, cut), stored.subarray(cut)];
      if (textOf(stuffed(pieces)) !== wire) assertEquals(textOf(stuffed(pieces)), wire, name);
    }
  }
});

Deno.test("DotStuffer undone by a client gives the CRLF form", () => {
  fc.assert(fc.property(message, cuts, (stored, lengths) => {
    const wire = stuffed(piecesOf(stored, lengths));
    assertEquals(textOf(unstuffed(wire)), textOf(wireForm(stored)));
  }));
});

Deno.test("DotStuffer begins the next message after the end of one", () => {
  const stuffer = new DotStuffer();
  stuffer.stuff(octetsOf("a"));
  stuffer.end();
  assertEquals(textOf(stuffer.stuff(octetsOf("."))), "..");
});
