/** Sends a message through the kernel to the socket: from its file, or from a program. */

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
/** Most that is kept back of an output until more comes; the encoder takes back 512 octets at least. */
const KEPT_MOST = 256;
/** Least that is kept back: the last CRLF, which must not leave without the terminator. */
const KEPT_LEAST = 2;

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

/**
 * The program is not read while the client does not read, so that its silence counts only while the client would take more. Not by
 * way of `DotStuffingStream`: docs/decisions/0043-a-stream-through-the-encoder.md.
 */
async function sendOutput(
  sink: MessageSink,
  firstLine: Uint8Array,
  output: MessageOutput,
  lines: number | undefined,
): Promise<number> {
  try {
    using out = new OutputEncoder(firstLine);
    const limit = lines === undefined ? undefined : new TopLimit(lines);
    let buffer = new Uint8Array(OUTPUT_READ_OCTETS);
    while (!limit?.done) {
      const octets = await output.read(buffer);
      if (octets.length === 0) break;
      const wanted = limit === undefined ? octets.length : limit.take(octets);
      await out.send(sink, octets.subarray(0, wanted));
      buffer = new Uint8Array(octets.buffer);
    }
    // TOP has what it needs: the program ends now, however slowly the client takes the rest.
    if (limit?.done) output.cancel();
    return await out.end(sink);
  } catch (error) {
    output.cancel(error);
    throw error;
  }
}

/** Encodes a message whose end is not known before it is there. */
class OutputEncoder implements Disposable {
  readonly #encoder = MessageEncoder.take();
  /** Octets of the first line that have not left. */
  #prefix: number;

  constructor(firstLine: Uint8Array) {
    this.#encoder.append(firstLine);
    this.#prefix = firstLine.length;
  }

  /** Sends octets, but for the last few: the last line end must not leave without the terminator. The first line waits for none. */
  async send(sink: MessageSink, octets: Uint8Array): Promise<void> {
    const encoder = this.#encoder;
    for (let at = 0; at < octets.length;) {
      const input = encoder.input;
      const part = octets.subarray(at, at + input.length);
      input.set(part);
      encoder.encode(part.length);
      at += part.length;
      await this.#sendAllBut(keptBack(encoder.pending().length - this.#prefix), sink);
    }
  }

  /** Sends what was kept back and the terminator. Returns the octets of content. */
  async end(sink: MessageSink): Promise<number> {
    this.#encoder.terminate();
    const sent = this.#encoder.octets;
    await sink.write(this.#encoder.pending(), true);
    return sent;
  }

  async #sendAllBut(back: number, sink: MessageSink): Promise<void> {
    const pending = this.#encoder.pending();
    const front = pending.length - back;
    if (front === 0) return;
    const kept = pending.slice(front);
    await sink.write(pending.subarray(0, front), false);
    this.#encoder.drained();
    this.#encoder.append(kept);
    this.#prefix = 0;
  }

  [Symbol.dispose](): void {
    this.#encoder[Symbol.dispose]();
  }
}

/** How many of the last octets wait for more: of little at most half, but always a whole line end. */
function keptBack(octets: number): number {
  return Math.min(octets, Math.max(KEPT_LEAST, Math.min(KEPT_MOST, octets >> 1)));
}
