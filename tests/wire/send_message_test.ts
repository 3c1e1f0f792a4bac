/** A program's output leaves as a stored message does: nothing split that must not be, nothing read that nobody takes. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import * as fc from "fast-check";
import { type MessageSink, sendMessage } from "../../lib/wire/send_message.ts";
import { cuts, joined, message, piecesOf } from "../bytes/arbitraries.ts";
import {
  AWKWARD_MESSAGES,
  BIG_MESSAGES,
  octetsOf,
  stuffedForm,
  textOf,
  wireForm,
} from "../support/awkward_messages.ts";
import { outputOf } from "../support/message_output.ts";

const FIRST_LINE = octetsOf("+OK message follows\r\n");

/** What left, write by write. */
class Writes implements MessageSink {
  readonly writes: Uint8Array[] = [];
  readonly last: boolean[] = [];

  write(octets: Uint8Array, last: boolean): Promise<void> {
    this.writes.push(octets.slice());
    this.last.push(last);
    return Promise.resolve();
  }

  get text(): string {
    return textOf(joined(this.writes));
  }
}

async function sent(pieces: readonly Uint8Array[], lines?: number): Promise<[Writes, number]> {
  const sink = new Writes();
  const body = { kind: "output", output: outputOf(pieces) } as const;
  return [sink, await sendMessage(sink, FIRST_LINE, body, lines)];
}

Deno.test("sendMessage sends outputs as the standard wants it, wherever they are cut", async () => {
  for (const [name, stored] of [...AWKWARD_MESSAGES, ...BIG_MESSAGES]) {
    const [sink, octets] = await sent([stored]);
    assert(sink.text === textOf(FIRST_LINE) + textOf(stuffedForm(stored)), name);
    assertEquals(octets, wireForm(stored).length, name);
  }
  await fc.assert(fc.asyncProperty(message, cuts, async (stored, lengths) => {
    const [sink, octets] = await sent(piecesOf(stored, lengths));
    assertEquals(sink.text, textOf(FIRST_LINE) + textOf(stuffedForm(stored)));
    assertEquals(octets, wireForm(stored).length);
  }));
});

Deno.test("sendMessage never splits the first line of an output, nor its last line end from the terminator", async () => {
  await fc.assert(fc.asyncProperty(message, cuts, async (stored, lengths) => {
    const { writes, last } = (await sent(piecesOf(stored, lengths)))[0];
    assert(textOf(writes[0]!).startsWith(textOf(FIRST_LINE)));
    assert(textOf(writes.at(-1)!).endsWith(stored.length === 0 ? ".\r\n" : "\r\n.\r\n"));
    assertEquals(last, [...new Array(last.length - 1).fill(false), true]);
    assert(writes.every((octets) => octets.length > 0));
  }));
});

Deno.test("sendMessage does not keep an output's octets waiting but for a few", async () => {
  const sizes = [10, 1, 100, 1000, 3, 65_536, 1, 700];
  const [{ writes }] = await sent(sizes.map((size) => new Uint8Array(size).fill(0x61)));
  let received = 0;
  let left = -FIRST_LINE.length;
  sizes.forEach((size, index) => {
    received += size;
    left += writes[index]!.length;
    assert(received - left <= 256, `${received - left} octets were kept back`);
  });
  assertEquals(writes[0]!.length, FIRST_LINE.length + 5, "half of the first piece leaves at once");
});

Deno.test("sendMessage reads no more of an output while the client takes nothing", async () => {
  let reads = 0;
  function* endless(): Generator<Uint8Array> {
    for (;; reads++) yield new Uint8Array(1000).fill(0x61);
  }
  const stalled = Promise.withResolvers<void>();
  const sending = sendMessage({ write: () => stalled.promise }, FIRST_LINE, {
    kind: "output",
    output: outputOf(endless()),
  });
  // Whatever could go on by itself has gone on when a timer rings.
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(reads, 0, "one piece was asked for, and no other since");
  stalled.reject(new Error("gone"));
  await assertRejects(() => sending, Error, "gone");
});

Deno.test("sendMessage ends an output early where TOP has enough, and says that nothing is wrong", async () => {
  for (
    const [stored, lines, expected] of [
      ["A: b\n\n.1\n2\n3\n", 1, "A: b\r\n\r\n..1\r\n.\r\n"],
      ["A: b\n\n1\n2\n3\n", 0, "A: b\r\n\r\n.\r\n"],
    ] as const
  ) {
    const reasons: unknown[] = [];
    const sink = new Writes();
    const output = outputOf([octetsOf(stored), octetsOf("more\n")], {
      cancelled: (reason) => reasons.push(reason),
    });
    await sendMessage(sink, FIRST_LINE, { kind: "output", output }, lines);
    assertEquals(sink.text, textOf(FIRST_LINE) + expected);
    assertEquals(reasons, [undefined]);
  }
  const [whole] = await sent([octetsOf("A: b\n\n1\n2")], 99_999_999);
  assertEquals(whole.text, `${textOf(FIRST_LINE)}A: b\r\n\r\n1\r\n2\r\n.\r\n`);
});

Deno.test("sendMessage sends no end of an output that fails", async () => {
  const sink = new Writes();
  const output = outputOf([octetsOf("half a message\r\n")], { fails: new Error("exit 1") });
  await assertRejects(
    () => sendMessage(sink, FIRST_LINE, { kind: "output", output }),
    Error,
    "exit 1",
  );
  assert(!sink.text.includes("\n.\r\n"));
});

Deno.test("sendMessage tells an output why it is left when the client is gone", async () => {
  const reasons: unknown[] = [];
  const gone = new Error("gone");
  const output = outputOf([new Uint8Array(1000)], {
    cancelled: (reason) => reasons.push(reason),
  });
  await assertRejects(
    () =>
      sendMessage({ write: () => Promise.reject(gone) }, FIRST_LINE, { kind: "output", output }),
    Error,
    "gone",
  );
  assertEquals(reasons, [gone]);
});

Deno.test("sendMessage sends many outputs at once, each whole", async () => {
  const messages = [...BIG_MESSAGES.values(), ...AWKWARD_MESSAGES.values()];
  await Promise.all(Array.from({ length: 40 }, async (_, index) => {
    const stored = messages[index % messages.length]!;
    const sink = new Writes();
    const late: MessageSink = {
      async write(octets, last): Promise<void> {
        await new Promise((resolve) => setTimeout(resolve, 0));
        await sink.write(octets, last);
      },
    };
    const half = stored.length >> 1;
    const output = outputOf([stored.subarray(0, half), stored.subarray(half)]);
    await sendMessage(late, FIRST_LINE, { kind: "output", output });
    assert(sink.text === textOf(FIRST_LINE) + textOf(stuffedForm(stored)));
  }));
});
