/** The encoder equals the twin, in kernel memory and without it, and never runs out of room. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { DotStuffer } from "../../lib/bytes/dot_stuffing.ts";
import { SLOTS } from "../../lib/bytes/kernel_memory.ts";
import { MessageEncoder } from "../../lib/bytes/message_encoder.ts";
import {
  AWKWARD_MESSAGES,
  BIG_MESSAGES,
  octetsOf,
  stuffedForm,
  textOf,
  wireForm,
} from "../support/awkward_messages.ts";
import { cuts, joined, message, piecesOf } from "./arbitraries.ts";

/** Runs a test with an encoder in kernel memory, and with one that found every place taken. */
function withBoth(test: (encoder: MessageEncoder) => void): void {
  {
    using encoder = MessageEncoder.take();
    assert(encoder.input.length === 256 * 1024, "the first encoder is one of the big ones");
    test(encoder);
  }
  using taken = new DisposableStack();
  for (let slot = 0; slot < SLOTS; slot++) taken.use(MessageEncoder.take());
  const encoder = taken.use(MessageEncoder.take());
  assert(encoder.input.length === 32 * 1024, "the next one is a small one");
  test(encoder);
}

/** Encodes pieces as they are, sending after each. */
function encoded(encoder: MessageEncoder, pieces: readonly Uint8Array[]): Uint8Array {
  const sent: Uint8Array[] = [];
  const send = (): void => {
    sent.push(encoder.pending().slice());
    encoder.drained();
  };
  for (const piece of pieces) {
    for (let start = 0; start < piece.length;) {
      const part = piece.subarray(start, start + encoder.input.length);
      encoder.input.set(part);
      encoder.encode(part.length);
      start += part.length;
      send();
    }
  }
  encoder.terminate();
  send();
  return joined(sent);
}

Deno.test("MessageEncoder makes every awkward message right, cut at every octet", () => {
  withBoth((encoder) => {
    for (const [name, stored] of AWKWARD_MESSAGES) {
      const wire = textOf(stuffedForm(stored));
      for (let cut = 0; cut <= stored.length; cut++) {
        const got = textOf(encoded(encoder, [stored.subarray(0, cut), stored.subarray(cut)]));
        if (got !== wire) assertEquals(got, wire, `${name}, cut at ${cut}`);
      }
      assertEquals(encoder.octets, wireForm(stored).length, name);
    }
  });
});

Deno.test("MessageEncoder equals its twin on big messages", () => {
  withBoth((encoder) => {
    for (const [name, stored] of BIG_MESSAGES) {
      const twin = new DotStuffer();
      const wire = joined([twin.stuff(stored), twin.end()]);
      const got = encoded(encoder, [stored]);
      assert(textOf(got) === textOf(wire), name);
    }
  });
});

Deno.test("MessageEncoder equals its twin on random messages, cut anywhere", () => {
  withBoth((encoder) => {
    fc.assert(fc.property(message, cuts, (stored, lengths) => {
      const twin = new DotStuffer();
      const wire = joined([twin.stuff(stored), twin.end()]);
      assertEquals(textOf(encoded(encoder, piecesOf(stored, lengths))), textOf(wire));
      assertEquals(encoder.octets, wireForm(stored).length);
    }));
  });
});

Deno.test("MessageEncoder puts first line, message and terminator into one piece", () => {
  withBoth((encoder) => {
    encoder.append(octetsOf("+OK 5 octets\r\n"));
    encoder.input.set(octetsOf(".a\n"));
    encoder.encode(3);
    encoder.terminate();
    assertEquals(textOf(encoder.pending()), "+OK 5 octets\r\n..a\r\n.\r\n");
    assertEquals(encoder.octets, 4);
  });
});

Deno.test("MessageEncoder begins the next message after the terminator of one", () => {
  withBoth((encoder) => {
    encoder.input.set(octetsOf("a"));
    encoder.encode(1);
    encoder.terminate();
    encoder.append(octetsOf("+OK\r\n"));
    encoder.input.set(octetsOf("."));
    encoder.encode(1);
    encoder.terminate();
    assertEquals(textOf(encoder.pending()), "a\r\n.\r\n+OK\r\n..\r\n.\r\n");
    assertEquals(encoder.octets, 3);
    encoder.terminate();
    assertEquals(encoder.octets, 2, "an empty message is one empty line");
  });
});

Deno.test("MessageEncoder has room for a first line, an input of dot lines, and the end", () => {
  withBoth((encoder) => {
    const size = encoder.input.length;
    const firstLine = new Uint8Array(512).fill(0x2b);
    const stored = new Uint8Array(size).fill(0x0a);
    encoder.append(firstLine);
    assertEquals(encoder.input.length, size, "the first line takes nothing from the input");
    encoder.input.set(stored);
    encoder.encode(size);
    assert(encoder.input.length < 2, "nothing more until it is sent");
    encoder.terminate();
    assertEquals(encoder.pending().length, 512 + 2 * size + 3);
    encoder.drained();
    assertEquals(encoder.input.length, size);
  });
});

Deno.test("MessageEncoder takes several inputs before it is sent, as far as they fit", () => {
  withBoth((encoder) => {
    const stored = octetsOf("Short lines, .dots\n.and more\n".repeat(4000));
    let start = 0;
    while (encoder.input.length > 0 && start < stored.length) {
      const part = stored.subarray(start, start + Math.min(777, encoder.input.length));
      encoder.input.set(part);
      encoder.encode(part.length);
      start += part.length;
    }
    const twin = new DotStuffer();
    assertEquals(textOf(encoder.pending()), textOf(twin.stuff(stored.subarray(0, start))));
  });
});

Deno.test("MessageEncoder sends a verbatim message as it is stored, at every cut", () => {
  withBoth((encoder) => {
    const stored = octetsOf("Subject: a\r\n\r\nBody .\r\n");
    for (let cut = 0; cut <= stored.length; cut++) {
      encoder.append(octetsOf("+OK\r\n"));
      for (const part of [stored.subarray(0, cut), stored.subarray(cut)]) {
        encoder.space().set(part);
        encoder.advance(part.length);
      }
      encoder.terminate();
      assertEquals(textOf(encoder.pending()), `+OK\r\n${textOf(stored)}.\r\n`);
      assertEquals(encoder.octets, stored.length);
      encoder.drained();
    }
    encoder.terminate();
    assertEquals(textOf(encoder.pending()), "\r\n.\r\n", "an empty message is one empty line");
  });
});

Deno.test("MessageEncoder gives space again after each drain, and fills it to the brim", () => {
  withBoth((encoder) => {
    encoder.append(new Uint8Array(512));
    for (let round = 0; round < 3; round++) {
      const space = encoder.space();
      assert(space.length >= 32 * 1024);
      space.fill(0x61);
      encoder.advance(space.length);
      encoder.drained();
    }
    encoder.space().fill(0x61);
    encoder.advance(encoder.space().length);
    encoder.terminate();
    assertEquals(textOf(encoder.pending().slice(-6)), "a\r\n.\r\n");
  });
});

Deno.test("MessageEncoder refuses more octets than fit", () => {
  withBoth((encoder) => {
    assertThrows(() => encoder.encode(encoder.input.length + 1), RangeError, "fit");
    const { length } = encoder.space();
    assertThrows(() => encoder.advance(length + 1), RangeError, "fit");
    assertThrows(() => encoder.append(new Uint8Array(1 << 20)), RangeError, "fit");
  });
});

Deno.test("MessageEncoder gives each place to one message at a time, and takes it back once", () => {
  using taken = new DisposableStack();
  const first = taken.use(MessageEncoder.take());
  const second = taken.use(MessageEncoder.take());
  first.append(octetsOf("first"));
  second.append(octetsOf("second"));
  assertEquals(textOf(first.pending()), "first");
  assertEquals(textOf(second.pending()), "second");
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  const big = Array.from({ length: SLOTS }, () => taken.use(MessageEncoder.take()))
    .filter((encoder) => encoder.input.length === 256 * 1024);
  assertEquals(big.length, SLOTS - 1, "the second one is still out");
  assertEquals(textOf(second.pending()), "second");
});

Deno.test("MessageEncoder without a place costs no more than what it holds", () => {
  using taken = new DisposableStack();
  for (let slot = 0; slot < SLOTS; slot++) taken.use(MessageEncoder.take());
  const small = taken.use(MessageEncoder.take());
  assertEquals(small.pending().buffer.byteLength, 0, "nothing before it is used");
  small.input.set(octetsOf("A line as people write them.\n".repeat(1100)));
  small.encode(29 * 1100);
  assert(small.pending().buffer.byteLength < 36 * 1024);
});
