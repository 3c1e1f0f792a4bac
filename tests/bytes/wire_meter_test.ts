/** The meter says what the client will count. */

import { assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { WireMeter, type WireSize } from "../../lib/bytes/wire_meter.ts";
import {
  AWKWARD_MESSAGES,
  BIG_MESSAGES,
  octetsOf,
  stuffedForm,
  textOf,
  wireForm,
} from "../support/awkward_messages.ts";
import { cuts, message, piecesOf } from "./arbitraries.ts";

function measured(meter: WireMeter, pieces: readonly Uint8Array[]): WireSize {
  for (const piece of pieces) {
    for (let start = 0; start < piece.length; start += meter.input.length) {
      const part = piece.subarray(start, start + meter.input.length);
      meter.input.set(part);
      meter.add(part.length);
    }
  }
  return meter.finish();
}

function expected(stored: Uint8Array): WireSize {
  return {
    size: wireForm(stored).length,
    verbatim: textOf(stuffedForm(stored)) === `${textOf(stored)}.\r\n`,
  };
}

Deno.test("WireMeter measures every awkward message, cut at every octet", () => {
  const meter = new WireMeter();
  for (const [name, stored] of AWKWARD_MESSAGES) {
    const wanted = expected(stored);
    for (let cut = 0; cut <= stored.length; cut++) {
      const pieces = [stored.subarray(0, cut), stored.subarray(cut)];
      assertEquals(measured(meter, pieces), wanted, `${name}, cut at ${cut}`);
    }
  }
});

Deno.test("WireMeter measures big messages", () => {
  const meter = new WireMeter();
  for (const [name, stored] of BIG_MESSAGES) {
    assertEquals(measured(meter, [stored]), expected(stored), name);
  }
});

Deno.test("WireMeter measures what a client receives of random messages", () => {
  const meter = new WireMeter();
  fc.assert(fc.property(message, cuts, (stored, lengths) => {
    assertEquals(measured(meter, piecesOf(stored, lengths)), expected(stored));
  }));
});

Deno.test("WireMeter calls a message verbatim only where nothing would change", () => {
  const meter = new WireMeter();
  const verbatim = (text: string): boolean => measured(meter, [octetsOf(text)]).verbatim;
  assertEquals(["a\r\n", "a.\r\n", "a\r\n\r\n", "\r\r\n"].map(verbatim), Array(4).fill(true));
  assertEquals(["", "a\n", "a", "a\r", ".\r\n", "a\r\n.b\r\n"].map(verbatim), Array(6).fill(false));
});

Deno.test("WireMeter refuses more octets than its input holds", () => {
  const meter = new WireMeter();
  assertThrows(() => meter.add(meter.input.length + 1), RangeError, "fit");
});
