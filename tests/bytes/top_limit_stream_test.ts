/** The stream ends where TOP ends and reads no further. */

import { assert, assertEquals } from "@std/assert";
import { TopLimitStream } from "../../lib/bytes/top_limit_stream.ts";
import { octetsOf } from "../support/awkward_messages.ts";

Deno.test("TopLimitStream passes header and lines on, then cancels its source", async () => {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller): void {
      controller.enqueue(octetsOf(pulled++ === 0 ? "a: b\r\n\r" : "\nline\r"));
    },
    cancel: () => resolve(),
  });
  const text = await new Response(endless.pipeThrough(new TopLimitStream(2))).text();
  assertEquals(text, "a: b\r\n\r\nline\r\nline\r\n");
  await cancelled;
  assert(pulled < 10);
});

Deno.test("TopLimitStream passes a shorter message on whole", async () => {
  const source = new Blob(["a: b\n\nend"]).stream();
  assertEquals(
    await new Response(source.pipeThrough(new TopLimitStream(20))).text(),
    "a: b\n\nend",
  );
});
