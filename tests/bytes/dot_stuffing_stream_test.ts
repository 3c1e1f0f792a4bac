/** The stream equals the twin, holds little back, and never splits the end. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import * as fc from "fast-check";
import { DotStuffer } from "../../lib/bytes/dot_stuffing.ts";
import { type DotStuffingOptions, DotStuffingStream } from "../../lib/bytes/dot_stuffing_stream.ts";
import {
  AWKWARD_MESSAGES,
  BIG_MESSAGES,
  octetsOf,
  stuffedForm,
  textOf,
  wireForm,
} from "../support/awkward_messages.ts";
import { cuts, joined, message, piecesOf } from "./arbitraries.ts";

/** Runs pieces through and returns the chunks that leave, and the stream. */
async function chunksOf(
  pieces: readonly Uint8Array<ArrayBuffer>[],
  options?: DotStuffingOptions,
): Promise<{ chunks: Uint8Array[]; stream: DotStuffingStream }> {
  const stream = new DotStuffingStream(options);
  const chunks: Uint8Array[] = [];
  // One is good until the next is asked for.
  for await (const chunk of ReadableStream.from(pieces).pipeThrough(stream)) {
    chunks.push(chunk.slice());
  }
  stream[Symbol.dispose]();
  return { chunks, stream };
}

Deno.test("DotStuffingStream makes every awkward message right, and ends it in one chunk", async () => {
  for (const [name, stored] of AWKWARD_MESSAGES) {
    const cut = stored.length >> 1;
    for (
      const pieces of [
        [stored],
        [stored.subarray(0, cut), stored.subarray(cut)],
        Array.from(stored, (octet) => Uint8Array.of(octet)),
      ]
    ) {
      const { chunks, stream } = await chunksOf(pieces);
      assertEquals(textOf(joined(chunks)), textOf(stuffedForm(stored)), name);
      assertEquals(stream.octets, wireForm(stored).length, name);
      const end = stored.length === 0 ? ".\r\n" : "\r\n.\r\n";
      assert(textOf(chunks.at(-1) ?? new Uint8Array(0)).endsWith(end), name);
      assert(chunks.every((chunk) => chunk.length > 0));
    }
  }
});

Deno.test("DotStuffingStream equals its twin on big messages in one chunk", async () => {
  for (const [name, stored] of BIG_MESSAGES) {
    const twin = new DotStuffer();
    const wire = joined([twin.stuff(stored), twin.end()]);
    const { chunks } = await chunksOf([stored]);
    assert(textOf(joined(chunks)) === textOf(wire), name);
    assert(chunks.every((chunk) => chunk.length <= 513 * 1024), name);
  }
});

Deno.test("DotStuffingStream equals its twin on random messages, cut anywhere", async () => {
  await fc.assert(fc.asyncProperty(message, cuts, async (stored, lengths) => {
    const { chunks } = await chunksOf(piecesOf(stored, lengths));
    assertEquals(textOf(joined(chunks)), textOf(stuffedForm(stored)));
  }));
});

Deno.test("DotStuffingStream lets the prefix leave with the first octets, and before an empty message", async () => {
  const prefix = octetsOf("+OK\r\n");
  const { chunks } = await chunksOf([octetsOf(".long enough\n"), octetsOf("more\n")], { prefix });
  assert(textOf(chunks[0] as Uint8Array).startsWith("+OK\r\n..long"));
  assertEquals(textOf(joined(chunks)), "+OK\r\n..long enough\r\nmore\r\n.\r\n");
  const empty = await chunksOf([], { prefix });
  assertEquals(empty.chunks.map(textOf), ["+OK\r\n\r\n.\r\n"]);
  assertEquals(empty.stream.octets, 2);
});

Deno.test("DotStuffingStream keeps back at most 256 octets of what came, and of little not all", async () => {
  const stream = new DotStuffingStream();
  const sizes = [10, 1, 100, 1000, 3, 65_536, 1, 262_144, 700];
  const source = ReadableStream.from(sizes.map((size) => new Uint8Array(size).fill(0x61)));
  const lengths: number[] = [];
  let received = 0;
  // Nothing is stuffed before it is asked for, so `octets` is what came in for the chunks up to this one.
  for await (const chunk of source.pipeThrough(stream)) {
    lengths.push(chunk.length);
    received += chunk.length;
    assert(stream.octets - received <= 256, `${stream.octets - received} octets are kept`);
  }
  assertEquals(lengths[0], 5, "half of the first chunk leaves at once");
  assertEquals(lengths.length, sizes.length + 1);
  assertEquals(received, stream.octets + 3);
});

Deno.test("DotStuffingStream sends no end when its source fails", async () => {
  let pulls = 0;
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller): void {
      if (pulls++ === 0) controller.enqueue(octetsOf("half a message\r\n"));
      else controller.error(new Error("The program ended with 1."));
    },
  });
  const got: Uint8Array[] = [];
  await assertRejects(
    async () => {
      for await (const chunk of source.pipeThrough(new DotStuffingStream())) {
        got.push(chunk.slice());
      }
    },
    Error,
    "ended with 1",
  );
  assert(!textOf(joined(got)).includes("\n.\r\n"));
});
