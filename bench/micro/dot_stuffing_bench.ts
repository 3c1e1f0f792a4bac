/** How fast messages become what the wire takes. Each case does 256 KiB, so 100 µs are 2.6 GB/s. */

import { DotStuffer } from "../../lib/bytes/dot_stuffing.ts";
import { DotStuffingStream } from "../../lib/bytes/dot_stuffing_stream.ts";
import { MessageEncoder } from "../../lib/bytes/message_encoder.ts";
import { TopLimit } from "../../lib/bytes/top_limit.ts";
import { WireMeter } from "../../lib/bytes/wire_meter.ts";

const SIZE = 256 * 1024;

/** Lines of many lengths, the same in each run, cut at `SIZE`. */
function text(
  lineEnd: string,
  line: (chance: () => number) => string = prose,
): Uint8Array<ArrayBuffer> {
  let state = 7;
  const chance = (): number => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff;
  let whole = "";
  while (whole.length < SIZE) whole += line(chance) + lineEnd;
  return new TextEncoder().encode(whole.slice(0, SIZE));
}

/** An empty line now and then, else 20 to 78 characters. */
function prose(chance: () => number): string {
  return chance() < 0.12 ? "" : "word and ".repeat(9).slice(0, 20 + 58 * chance());
}

const MESSAGES: Record<string, Uint8Array<ArrayBuffer>> = {
  "CRLF prose": text("\r\n"),
  "LF prose": text("\n"),
  "LF, 76 columns of base64": text("\n", () => "QUJD".repeat(19)),
  "LF, lines of 5": text("\n", () => "short"),
  "LF only": text("\n", () => ""),
  "dot lines only": text("\n", () => "."),
  "one line": text("", () => "x"),
};

for (const [group, message] of Object.entries(MESSAGES)) {
  Deno.bench(`kernel, stuffing (${group})`, { group, baseline: true }, (bench) => {
    using encoder = MessageEncoder.take();
    encoder.input.set(message);
    bench.start();
    encoder.encode(message.length);
    bench.end();
  });
  Deno.bench(`kernel, measuring (${group})`, { group }, (bench) => {
    const meter = new WireMeter();
    meter.input.set(message);
    bench.start();
    meter.add(message.length);
    bench.end();
  });
  const twin = new DotStuffer();
  Deno.bench(`TypeScript twin (${group})`, { group }, () => {
    twin.stuff(message);
  });
  Deno.bench(`header and endless lines for TOP (${group})`, { group }, () => {
    new TopLimit(99_999_999).take(message);
  });
  Deno.bench(`stream of 64 KiB chunks (${group})`, { group }, async () => {
    const stream = new DotStuffingStream();
    const writer = stream.writable.getWriter();
    const read = Array.fromAsync(stream.readable);
    for (let start = 0; start < SIZE; start += 65_536) {
      await writer.write(message.subarray(start, start + 65_536));
    }
    await writer.close();
    await read;
  });
}
