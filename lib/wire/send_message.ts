/** Sends a message through the kernel to the socket: from its file, or from a program. */

import { DotStuffingStream } from "../bytes/dot_stuffing_stream.ts";
import { MessageEncoder } from "../bytes/message_encoder.ts";
import { TopLimit } from "../bytes/top_limit.ts";
import type { StoredMessage } from "../contracts/mail_store.ts";
import type { MessageBody, MessageOutput } from "../contracts/transformer.ts";

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
/** Octets of one read of a program's output: what a pipe holds on Linux. */
const OUTPUT_READ_OCTETS = 65_536;

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
    : sendOutput(sink, firstLine, body.output, lines);
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
    if (message.ready !== undefined) await message.ready();
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

/** The program is not read while the client does not read, so that its silence counts only while the client would take more. */
async function sendOutput(
  sink: MessageSink,
  firstLine: Uint8Array,
  output: MessageOutput,
  lines: number | undefined,
): Promise<number> {
  try {
    using stuffing = new DotStuffingStream({ prefix: firstLine });
    const source = new OutputSource(output, stuffing.writable.getWriter(), lines);
    const wire = stuffing.readable.getReader();
    for (let sent = 0, last = false; !last;) {
      const asked = wire.read();
      // Little that came may all be kept back, so that nothing is there to be sent yet.
      while (stuffing.chunks === sent) await source.pass();
      sent++;
      last = stuffing.ended && stuffing.chunks === sent;
      await sink.write((await asked).value!, last);
    }
    return stuffing.octets;
  } catch (error) {
    output.cancel(error);
    throw error;
  }
}

/** A program's output on its way into a stream, piece by piece through one buffer. */
class OutputSource {
  readonly #output: MessageOutput;
  readonly #into: WritableStreamDefaultWriter<Uint8Array>;
  readonly #limit: TopLimit | undefined;
  #buffer = new Uint8Array(OUTPUT_READ_OCTETS);

  constructor(
    output: MessageOutput,
    into: WritableStreamDefaultWriter<Uint8Array>,
    lines: number | undefined,
  ) {
    this.#output = output;
    this.#into = into;
    this.#limit = lines === undefined ? undefined : new TopLimit(lines);
  }

  /** Passes the next piece on, or the end. */
  async pass(): Promise<void> {
    if (this.#limit?.done) {
      // TOP has what it needs: the program ends now, however slowly the client takes the rest.
      this.#output.cancel();
      return await this.#into.close();
    }
    const octets = await this.#output.read(this.#buffer);
    if (octets.length === 0) return await this.#into.close();
    const wanted = this.#limit?.take(octets) ?? octets.length;
    await this.#into.write(octets.subarray(0, wanted));
    this.#buffer = new Uint8Array(octets.buffer);
  }
}
