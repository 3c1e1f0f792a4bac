// A program's output between threads: all of it, in order, whatever the sizes; nothing of it where it broke.
import { assert, assertEquals } from "@std/assert";
import {
  CHUNK,
  isRingMemory,
  ringMemory,
  RingReader,
  RingWriter,
} from "../../lib/transform/output_ring.ts";
import { within } from "../support/waiting.ts";

// Each wait has a deadline, and a timer with it: waiting for shared memory alone keeps no event loop running.

function ring(): { memory: SharedArrayBuffer; writer: RingWriter; reader: RingReader } {
  const memory = ringMemory();
  const reader = new RingReader(memory);
  return { memory, reader, writer: new RingWriter(memory) };
}

async function write(writer: RingWriter, lengths: readonly number[]): Promise<void> {
  let at = 0;
  for (const length of lengths) {
    await writer.room();
    writer.write(Uint8Array.from({ length }, () => at++ & 0xff));
  }
}

Deno.test("an output comes out as it went in, whatever the pieces on either side", async () => {
  const lengths = [1, CHUNK, 7, CHUNK - 1, 3, 70, CHUNK, CHUNK, CHUNK, 1, 2];
  const total = lengths.reduce((sum, length) => sum + length, 0);
  for (const piece of [1000, CHUNK, 3 * CHUNK]) {
    const { reader, writer } = ring();
    const writing = write(writer, lengths).then(() => writer.end("whole"));
    const into = new Uint8Array(piece);
    let at = 0;
    for (let octets; typeof (octets = await within(reader.read(into), "octets")) === "number";) {
      for (const octet of into.subarray(0, octets)) assert(octet === (at++ & 0xff));
    }
    await within(writing, "the end");
    assertEquals(at, total);
    assertEquals(await reader.read(into), "whole");
  }
});

Deno.test("a writer waits while nobody takes anything, and says whether all was taken", async () => {
  const { reader, writer } = ring();
  let written = 0;
  const writing = (async () => {
    for (; written < 20; written++) {
      await writer.room();
      writer.write(new Uint8Array(10));
    }
  })();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([written, writer.isEmpty], [4, false]);
  for (let read = 0; read < 20; read++) {
    assertEquals(await within(reader.read(new Uint8Array(10)), "a chunk"), 10);
  }
  await within(writing, "the end");
  assertEquals(writer.isEmpty, true);
});

Deno.test("what was written before the end is read first, and an end wakes whoever waits", async () => {
  for (const how of ["whole", "broken"] as const) {
    const { reader, writer } = ring();
    writer.write(new Uint8Array(3));
    writer.end(how);
    assertEquals(await reader.read(new Uint8Array(10)), 3);
    assertEquals(await reader.read(new Uint8Array(10)), how);
    const waiting = ring();
    const read = waiting.reader.read(new Uint8Array(10));
    waiting.writer.end(how);
    assertEquals(await within(read, "the end"), how);
  }
});

Deno.test("a reader ends its own waiting", async () => {
  const { reader } = ring();
  const read = reader.read(new Uint8Array(10));
  reader.break();
  assertEquals(await within(read, "the end"), "broken");
});

Deno.test("a writer that was stopped waits for nobody, and leaves the memory to the next", async () => {
  const { memory, writer } = ring();
  for (let chunk = 0; chunk < 4; chunk++) writer.write(new Uint8Array(1));
  const room = writer.room();
  writer.stop();
  await within(Promise.resolve(room), "the end of the wait");
  const next = new RingReader(memory);
  writer.write(new Uint8Array(9));
  writer.end("whole");
  const other = new RingWriter(memory);
  other.write(new Uint8Array(5));
  assertEquals(await next.read(new Uint8Array(10)), 5);
});

Deno.test("a reader that lies about what it has read stops nobody", async () => {
  for (const lie of [-1, 1000, 2 ** 31 - 1, -(2 ** 31)]) {
    const { memory, writer } = ring();
    const words = new Int32Array(memory);
    for (let chunk = 0; chunk < 4; chunk++) writer.write(new Uint8Array(1));
    words[1] = lie;
    const room = writer.room();
    writer.stop();
    await within(Promise.resolve(room), "the end of the wait");
  }
});

Deno.test("only a ring's memory is one", () => {
  assert(isRingMemory(ringMemory()));
  const size = ringMemory().byteLength;
  for (
    const other of [
      undefined,
      new ArrayBuffer(size),
      new SharedArrayBuffer(size - 1),
      new SharedArrayBuffer(size, { maxByteLength: 2 * size }),
      { byteLength: size },
    ]
  ) assertEquals(isRingMemory(other), false);
});
