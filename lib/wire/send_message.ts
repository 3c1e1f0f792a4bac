/** Sends a message: from its file through the kernel to the socket, or from a stream through dot-stuffing. */

import { DotStuffingStream } from "../bytes/dot_stuffing_stream.ts";
import { MessageEncoder } from "../bytes/message_encoder.ts";
import { TopLimit } from "../bytes/top_limit.ts";
import { TopLimitStream } from "../bytes/top_limit_stream.ts";
import type { StoredMessage } from "../mail/mail_store.ts";
import type { MessageBody } from "../transform/transformer.ts";

/** Where a message's octets go. */
export interface MessageSink {
  /**
   * Sends octets; they may change once the promise has settled.
   *
   * @param last whether these end the message: its last line and the terminator always leave together
   */
  write(octets: Uint8Array, last: boolean): Promise<void>;
}

/** Stored octets of one read where a few lines are wanted. */
const TOP_READ_OCTETS = 16_384;

/**
 * Sends the first line, the message with its lines ended by CRLF and dot-stuffed, and the terminator (RFC 1939, section 3).
 * Disposes or cancels the body, however it ends.
 *
 * @param firstLine with its CRLF, at most 512 octets; leaves together with the message's first octets
 * @param lines the header and so many lines of the body only (TOP)
 * @returns octets of content that the client received, dot-stuffing undone
 * @throws {Error} when the body cannot be read to its end; the terminator has then not been sent
 */
export function sendMessage(
  sink: MessageSink,
  firstLine: Uint8Array,
  body: MessageBody,
  lines?: number,
): Promise<number> {
  return body.kind === "stored"
    ? sendStored(sink, firstLine, body.message, lines)
    : sendStream(sink, firstLine, body.readable, lines);
}

async function sendStored(
  sink: MessageSink,
  firstLine: Uint8Array,
  stored: StoredMessage,
  lines: number | undefined,
): Promise<number> {
  using message = stored;
  using encoder = MessageEncoder.take();
  const limit = lines === undefined ? undefined : new TopLimit(lines);
  encoder.append(firstLine);
  let left = message.storedSize;
  while (left > 0 && !limit?.done) {
    // A message that needs no change is read straight to where the socket takes it from.
    const space = message.verbatim ? encoder.space() : encoder.input;
    const octets = message.readSync(
      limit === undefined ? space : space.subarray(0, TOP_READ_OCTETS),
    );
    if (octets === null) throw new Error("The message ended before its size");
    left -= octets;
    const wanted = limit === undefined ? octets : limit.take(space.subarray(0, octets));
    if (message.verbatim) encoder.advance(wanted);
    else encoder.encode(wanted);
    if (left > 0 && !limit?.done) {
      await sink.write(encoder.pending(), false);
      encoder.drained();
    }
  }
  encoder.terminate();
  const sent = encoder.octets;
  await sink.write(encoder.pending(), true);
  return sent;
}

async function sendStream(
  sink: MessageSink,
  firstLine: Uint8Array,
  readable: ReadableStream<Uint8Array<ArrayBuffer>>,
  lines: number | undefined,
): Promise<number> {
  const stuffing = new DotStuffingStream({ prefix: firstLine });
  const source = lines === undefined ? readable : readable.pipeThrough(new TopLimitStream(lines));
  for await (const octets of source.pipeThrough(stuffing)) await sink.write(octets, false);
  return stuffing.octets;
}
