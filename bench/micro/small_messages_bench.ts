/** What a small message costs: 1 KiB is measured, and sent. */

import { MessageEncoder } from "../../lib/bytes/message_encoder.ts";
import { WireMeter } from "../../lib/bytes/wire_meter.ts";

const message = new TextEncoder().encode("A line as people write them, of no length.\n".repeat(24))
  .subarray(0, 1024);
const firstLine = new TextEncoder().encode("+OK 1048 octets\r\n");
const meter = new WireMeter();

Deno.bench("the copy of 1 KiB alone", () => {
  meter.input.set(message);
});

Deno.bench("copy and measure 1 KiB", () => {
  meter.input.set(message);
  meter.add(message.length);
  meter.finish();
});

Deno.bench("take an encoder, make an answer of 1 KiB, give it back", () => {
  using encoder = MessageEncoder.take();
  encoder.append(firstLine);
  encoder.input.set(message);
  encoder.encode(message.length);
  encoder.terminate();
  encoder.pending();
});
