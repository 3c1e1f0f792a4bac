/** Writes replies to a connection: gathers the small ones, streams the large ones, and waits while the client is slow. */

import { delay } from "../async/delay.ts";
import type { YieldingTask } from "../async/yielder.ts";
import type { Connection } from "../contracts/connection.ts";
import { encodeBase64 } from "../bytes/base64.ts";
import type { Dialogue, Outcome } from "./dialogue.ts";
import { negative, positive, tryLater } from "./first_line.ts";
import { FAREWELL_MS, SMALL_MESSAGE_OCTETS } from "./limits.ts";
import { type MessageSink, sendMessage } from "./send_message.ts";
import { OutputBuffer } from "./output_buffer.ts";
import type { Reply } from "./reply.ts";
import { ConnectionLostError, type StallGuard } from "./stall_guard.ts";

const encoder = new TextEncoder();

/** One connection's way out. */
export class ReplyWriter {
  readonly #dialogue: Pick<Dialogue, "patience" | "reference" | "wrote">;
  readonly #guard: StallGuard;
  readonly #yielder: YieldingTask;
  readonly #fault: (error: unknown) => void;
  readonly #out = new OutputBuffer();
  #isSending = false;
  #waited = 0;
  /** Whether the last answer was said. */
  #isEnded = false;

  /**
   * @param yielder lets other sessions run while a client takes all that is sent at once
   * @param fault told why a message could not be read
   */
  constructor(
    dialogue: Pick<Dialogue, "patience" | "reference" | "wrote">,
    guard: StallGuard,
    yielder: YieldingTask,
    fault: (error: unknown) => void,
  ) {
    this.#fault = fault;
    this.#dialogue = dialogue;
    this.#guard = guard;
    this.#yielder = yielder;
  }

  /** Milliseconds that writes waited for the client, ever. */
  get waited(): number {
    return this.#waited;
  }

  /**
   * Adds a reply to what is waiting, and sends when that is much.
   *
   * @returns how it went: a message that fails before its first octet is answered with an error
   * @throws {ConnectionLostError} when the client is gone
   * @throws {Error} when a message failed in its middle: the connection must then be closed, without the terminator
   */
  async write(connection: Connection, reply: Reply): Promise<Outcome> {
    switch (reply.kind) {
      case "ok":
        this.#out.line(positive(reply.text));
        break;
      case "error":
        this.#out.line(negative(reply.text, reply.code));
        break;
      case "challenge":
        this.#out.line(`+ ${encodeBase64(reply.data)}`);
        break;
      case "lines":
        for (const line of reply.lines) this.#out.line(line);
        break;
      case "list":
        await this.#list(connection, reply);
        break;
      case "live":
        await this.#live(connection, reply);
        break;
      case "message":
        return await this.#message(connection, reply);
    }
    if (this.#out.full) await this.flush(connection);
    return reply.kind === "error" ? "error" : "ok";
  }

  /**
   * Sends one last answer, unless something is being sent: it would end in the middle of that. Nothing can be sent behind it.
   *
   * @returns settles when it was taken, or a client that is slow has had a second; never rejects
   */
  async farewell(connection: Connection, reply: Extract<Reply, { kind: "error" }>): Promise<void> {
    this.#isEnded = true;
    if (this.#isSending) return;
    this.#out.line(negative(reply.text, reply.code));
    const sent = connection.write(this.#out.take()).then(
      (octets) => this.#dialogue.wrote(octets),
      () => {}, // The client is gone.
    );
    const late = new AbortController();
    await Promise.race([sent, delay(FAREWELL_MS, { signal: late.signal }).catch(() => {})]);
    late.abort();
  }

  /** Sends all that is waiting. */
  async flush(connection: Connection): Promise<void> {
    if (this.#out.length > 0) await this.#send(connection, this.#out.take());
  }

  /** A multi-line answer (RFC 1939, section 3): lines that begin with a dot get one more, and a dot ends it. */
  async #list(connection: Connection, reply: Extract<Reply, { kind: "list" }>): Promise<void> {
    this.#out.line(positive(reply.text));
    const lines = reply.lines;
    if (Symbol.asyncIterator in lines) {
      for await (const line of lines) await this.#listLine(connection, line);
    } else {
      for (const line of lines) {
        // Awaiting each of 100 000 lines would cost more than the lines do.
        if (this.#out.full) await this.#flushPart(connection);
        this.#out.line(line.startsWith(".") ? `.${line}` : line);
      }
    }
    this.#out.line(".");
  }

  /** A list that grows: what there is of it leaves before more is waited for. */
  async #live(connection: Connection, reply: Extract<Reply, { kind: "live" }>): Promise<void> {
    this.#out.line(positive(reply.text));
    await this.flush(connection);
    for await (const part of reply.parts) {
      for (const line of part) await this.#listLine(connection, line);
      await this.flush(connection);
    }
    this.#out.line(".");
  }

  async #listLine(connection: Connection, line: string): Promise<void> {
    if (this.#out.full) await this.#flushPart(connection);
    this.#out.line(line.startsWith(".") ? `.${line}` : line);
  }

  /** Sends a part of a long answer. Where the client takes each part at once, nobody else would have a turn. */
  async #flushPart(connection: Connection): Promise<void> {
    await this.flush(connection);
    if (this.#yielder.due()) await this.#yielder.pause();
  }

  async #message(
    connection: Connection,
    reply: Extract<Reply, { kind: "message" }>,
  ): Promise<Outcome> {
    let begun = false;
    const sink: MessageSink = {
      write: async (octets, last) => {
        if (last && !begun && octets.length <= SMALL_MESSAGE_OCTETS) {
          begun = true;
          this.#out.append(octets);
          if (this.#out.full) await this.flush(connection);
          return;
        }
        begun = true;
        await this.flush(connection);
        await this.#send(connection, octets);
        if (!last && this.#yielder.due()) await this.#yielder.pause();
      },
    };
    try {
      const octets = await sendMessage(
        sink,
        encoder.encode(`${positive(reply.text)}\r\n`),
        reply.body,
        reply.lines,
      );
      reply.sent?.(octets);
      return "ok";
    } catch (error) {
      // Once octets have left, no client may take half a message for a whole one: the caller closes.
      if (begun) throw error;
      this.#fault(error);
      this.#out.line(
        negative(tryLater("The message cannot be read now", this.#dialogue.reference), "SYS/TEMP"),
      );
      return "error";
    }
  }

  async #send(connection: Connection, octets: Uint8Array): Promise<void> {
    if (this.#isEnded) throw new ConnectionLostError("The last answer was sent");
    this.#isSending = true;
    try {
      let rest = octets;
      while (rest.length > 0) {
        const begun = performance.now();
        // Asked anew each time: a client that takes a little keeps its connection.
        const taken = await this.#guard.watch(
          this.#dialogue.patience.write,
          "not-reading",
          connection.write(rest),
        );
        this.#waited += performance.now() - begun;
        this.#dialogue.wrote(taken, rest);
        rest = rest.subarray(taken);
      }
    } finally {
      this.#isSending = false;
    }
  }
}
