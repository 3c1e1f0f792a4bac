/** The engine: carries one dialogue over one connection, from greeting to end. */

import { Yielder } from "../async/yielder.ts";
import { type Line, LineBuffer } from "../bytes/line_buffer.ts";
import { type Connection, HandshakeError } from "../contracts/connection.ts";
import type { CloseReason } from "../contracts/event.ts";
import type { Dialogue } from "./dialogue.ts";
import { tryLater } from "./first_line.ts";
import {
  BUSY_READ_OCTETS,
  HANG_UP_WATCH_MS,
  IDLE_READ_OCTETS,
  LINGER_MS,
  SASL_LINE_OCTETS,
  TURN_MS,
} from "./limits.ts";
import { linger } from "./linger.ts";
import type { Reply } from "./reply.ts";
import { ReplyWriter } from "./reply_writer.ts";
import { ConnectionLostError, StallClock, StallGuard } from "./stall_guard.ts";

type Answer = (line: Line) => Reply | Promise<Reply>;

/** One connection's life. */
export class Conversation {
  readonly #dialogue: Dialogue;
  readonly #fault: (error: unknown) => void;
  readonly #lines: LineBuffer;
  readonly #guard: StallGuard;
  readonly #writer: ReplyWriter;
  readonly #yielder: Yielder;
  #connection: Connection;
  #buffer = new Uint8Array(IDLE_READ_OCTETS);
  /** A read that was begun while a command was at work. */
  #ahead: Promise<number | null> | undefined;
  /** Whether the read ahead has ended. */
  #aheadEnded = false;
  /** Whether the line to come ended after all answers so far had left. */
  #acknowledges = false;
  /** Where the next line goes while a SASL exchange is under way. */
  #continuation: Answer | undefined;
  #badCommands = 0;
  /** Milliseconds that the challenges of the SASL exchange under way took: its command is answered when it has ended. */
  #challenged = 0;
  /** Whether a command is at work, or its answer on its way; nobody else waits for the read ahead then. */
  #working = false;
  /** Whether the client's side of the stream has ended, as a read ahead told. */
  #isEnded = false;
  /** Whether a TLS handshake is under way, in which nothing can be said. */
  #isSecuring = false;
  /** Whether the client fills every read, and when, by `performance.now()`, it last let others have their turn. */
  #isFlooding = false;
  #turn = 0;
  /** Whether the client left while a command was at work. */
  #hungUp = false;
  /** Why somebody else ended it. */
  #closed: CloseReason | undefined;

  /**
   * @param connection closed when the conversation ends
   * @param dialogue what is spoken
   * @param fault told of errors that are neither the client's nor the network's
   * @param clock looks at the waits of this connection, and of others that share it
   * @param yielder shares the thread between what clients pipeline and everything else
   */
  constructor(
    connection: Connection,
    dialogue: Dialogue,
    fault: (error: unknown) => void,
    clock: StallClock = new StallClock(),
    yielder: Yielder = new Yielder(),
  ) {
    this.#connection = connection;
    this.#dialogue = dialogue;
    this.#fault = fault;
    this.#lines = new LineBuffer(dialogue.lineLimit);
    this.#guard = new StallGuard(clock, (reason) => this.close(reason));
    this.#writer = new ReplyWriter(dialogue, this.#guard, yielder, fault);
    this.#yielder = yielder;
  }

  /** Speaks until the end, and says how it came; with what a client has said that was greeted before. Never rejects. */
  async run(said?: Uint8Array): Promise<CloseReason> {
    let reason: CloseReason = "client-gone";
    try {
      reason = await this.#converse(said);
    } catch (error) {
      if (!(error instanceof ConnectionLostError)) {
        // What was at work for a client that left has failed for that.
        reason = this.#hungUp ? "client-gone" : "error";
        this.#fault(error);
      }
    }
    // Whoever called close() knows better why.
    reason = this.#closed ?? reason;
    this.#guard.stop();
    try {
      await this.#dialogue.end(reason);
    } catch (error) {
      this.#fault(error);
    }
    this.#connection[Symbol.dispose]();
    return reason;
  }

  /** Ends the conversation at once; what is pending is given up. */
  close(reason: CloseReason): void {
    this.#closed ??= reason;
    this.#dialogue.hangUp();
    this.#connection[Symbol.dispose]();
  }

  /** Ends the conversation with a last answer, for which nobody is kept waiting; what is pending is given up. */
  dismiss(reason: CloseReason, reply: Extract<Reply, { kind: "error" }>): void {
    if (this.#closed !== undefined) return;
    if (this.#isSecuring) return this.close(reason);
    this.#closed = reason;
    this.#dialogue.hangUp();
    const connection = this.#connection;
    void this.#writer.farewell(connection, reply).finally(() => connection[Symbol.dispose]());
  }

  async #converse(said: Uint8Array | undefined): Promise<CloseReason> {
    let ended: CloseReason | undefined;
    if (said === undefined) ended = await this.#answer(this.#dialogue.greet(), "greeting");
    else this.#lines.push(said);
    while (ended === undefined) {
      if (this.#closed !== undefined) return this.#closed;
      const line = this.#lines.next();
      if (line !== undefined) {
        ended = await this.#obey(line);
        // Whoever always has the next thousand commands ready would never let another session's turn come.
        if (this.#lines.hasLine) await this.#giveWay();
        continue;
      }
      // Answers wait for one another while whole commands wait (RFC 2449, section 6.6), and leave before we wait for more.
      await this.#writer.flush(this.#connection);
      if (!await this.#readMore()) return "client-gone";
    }
    if (ended === "tls-failed") return ended;
    await this.#writer.flush(this.#connection);
    try {
      await this.#guard.watch(LINGER_MS, ended, this.#connection.closeWrite());
      if (ended !== "quit" || this.#lines.pending > 0) {
        await linger(() => this.#read(), this.#guard, ended);
      }
    } catch (error) {
      // The last answer was taken; a client that leaves in a hurry changes nothing about how it ended.
      if (!(error instanceof ConnectionLostError)) throw error;
    }
    return ended;
  }

  /** Reads once. Returns false at the end of the stream. */
  async #readMore(): Promise<boolean> {
    const { read, silent } = this.#dialogue.patience;
    const cameBefore = this.#ahead !== undefined && this.#aheadEnded;
    const octets = await this.#guard.watch(read, silent, this.#read());
    if (octets === null) return false;
    this.#acknowledges = !cameBefore;
    this.#lines.push(this.#buffer.subarray(0, octets));
    this.#isFlooding = octets === BUSY_READ_OCTETS;
    if (this.#isFlooding) await this.#giveWay(); // Of a line without end no command comes.
    // A client that fills the buffer is pipelining: it gets a larger one, and a small one again when it calms down.
    if (octets === this.#buffer.length) this.#buffer = new Uint8Array(BUSY_READ_OCTETS);
    else if (octets < IDLE_READ_OCTETS && this.#buffer.length > IDLE_READ_OCTETS) {
      this.#buffer = new Uint8Array(IDLE_READ_OCTETS);
    }
    return true;
  }

  /** Reads once, or takes what was read ahead. */
  #read(): Promise<number | null> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead ?? this.#connection.read(this.#buffer);
  }

  /** Lets other sessions run when this one has had its time. */
  async #giveWay(): Promise<void> {
    const isOver = this.#isFlooding && performance.now() - this.#turn >= TURN_MS;
    if (!isOver && !this.#yielder.due()) return;
    await this.#yielder.pause();
    this.#turn = performance.now();
  }

  /** Carries out one line and writes its answer. Returns why the conversation ends, or undefined when it goes on. */
  #obey(line: Line): Promise<CloseReason | undefined> {
    if (this.#acknowledges) this.#dialogue.acknowledged?.();
    this.#acknowledges = false;
    const continuation = this.#continuation;
    this.#continuation = undefined;
    this.#lines.limit = this.#dialogue.lineLimit;
    if (continuation !== undefined) return this.#answer(continuation(line));
    return this.#answer(
      line === "too-long" ? this.#dialogue.refuseLongLine() : this.#dialogue.obey(line),
    );
  }

  async #answer(
    pending: Reply | Promise<Reply>,
    to: "line" | "greeting" = "line",
  ): Promise<CloseReason | undefined> {
    const begun = performance.now() - this.#writer.waited;
    this.#working = true;
    const watch = pending instanceof Promise
      ? setTimeout(() => this.#watchClient(), HANG_UP_WATCH_MS)
      : undefined;
    try {
      const reply = this.#budgeted(await this.#sound(pending));
      if (reply.kind === "live") this.#watchClient();
      const outcome = await this.#writer.write(this.#connection, reply);
      const milliseconds = this.#challenged + performance.now() - this.#writer.waited - begun;
      this.#challenged = reply.kind === "challenge" ? milliseconds : 0;
      if (to === "line" && reply.kind !== "challenge") {
        this.#dialogue.answered(outcome, milliseconds);
      }
      return await this.#carryOut(reply);
    } finally {
      clearTimeout(watch);
      this.#working = false;
    }
  }

  /** A handler that fails has a fault of ours: it is told, and the session goes on. */
  async #sound(pending: Reply | Promise<Reply>): Promise<Reply> {
    try {
      return await pending;
    } catch (error) {
      this.#fault(error);
      const text = tryLater("Internal server error", this.#dialogue.reference);
      return { kind: "error", code: "SYS/TEMP", text };
    }
  }

  /** Turns the last bad command that the budget allows into the end. */
  #budgeted(reply: Reply): Reply {
    // How a command went that asks for one more line, is told by the answer to that line.
    if (reply.kind === "challenge") return reply;
    this.#badCommands = reply.kind === "error" && reply.bad ? this.#badCommands + 1 : 0;
    const most = this.#dialogue.maxBadCommands;
    if (most === 0 || this.#badCommands < most || reply.kind !== "error") return reply;
    return {
      ...reply,
      text: `${reply.text}; too many bad commands, closing`,
      effect: "close",
      reason: "bad-commands",
    };
  }

  async #carryOut(reply: Reply): Promise<CloseReason | undefined> {
    if (reply.kind === "challenge") {
      this.#continuation = reply.answer;
      this.#lines.limit = SASL_LINE_OCTETS;
      return undefined;
    }
    // A command may have changed it.
    this.#lines.limit = this.#dialogue.lineLimit;
    const effect = "effect" in reply ? reply.effect : undefined;
    if (effect === "close") return (reply.kind === "error" ? reply.reason : undefined) ?? "quit";
    return effect === "start-tls" ? await this.#startTls() : undefined;
  }

  async #startTls(): Promise<CloseReason | undefined> {
    await this.#writer.flush(this.#connection);
    const clear = this.#connection;
    if (clear.startTls === undefined) {
      throw new TypeError("The dialogue asked for TLS on a connection that has none to give");
    }
    // Whatever came in clear behind STLS is forgotten (RFC 2595, section 4; CVE-2021-33515).
    this.#lines.clear();
    this.#badCommands = 0;
    this.#isSecuring = true;
    try {
      this.#connection = await clear.startTls();
    } catch (error) {
      // The client's doing, or close()'s: the dialogue records it, and nothing can be said on a broken stream.
      this.#dialogue.unsecured(error instanceof HandshakeError ? error.reason : undefined);
      return "tls-failed";
    } finally {
      this.#isSecuring = false;
    }
    if (this.#closed !== undefined) this.#connection[Symbol.dispose]();
    if (this.#connection.tls !== undefined) this.#dialogue.secured(this.#connection.tls);
    return undefined;
  }

  /**
   * While a command takes its time, notices a client that goes away, and tells a dialogue that wants to know of the next line. A
   * client that has merely said all it has to say (its last commands are here, and its side of the stream has ended) still gets
   * its answers.
   */
  #watchClient(): void {
    if (this.#closed !== undefined) return;
    if (this.#lines.hasLine && this.#dialogue.interrupted !== undefined) {
      return this.#dialogue.interrupted();
    }
    this.#noticeEnd();
    if (this.#ahead !== undefined) return;
    // While a line waits, too, so that a connection that breaks is noticed; but the line may be STLS, behind which TLS begins.
    if (this.#lines.hasLine && this.#connection.startTls !== undefined) return;
    const ahead = this.#connection.read(this.#buffer);
    this.#ahead = ahead;
    this.#aheadEnded = false;
    ahead.then(
      (octets) => {
        this.#aheadEnded = true;
        if (octets === null) {
          this.#isEnded = true;
          if (this.#working) this.#noticeEnd();
        } else if (this.#working && this.#dialogue.interrupted !== undefined) {
          this.#ahead = undefined;
          this.#lines.push(this.#buffer.subarray(0, octets));
          // A line that is not whole yet is read on; one that is ends the reading.
          this.#watchClient();
        }
      },
      () => this.close("client-gone"),
    );
  }

  /** Nobody waits for the last command's answer when the client has left; a client whose commands wait has only said all of them. */
  #noticeEnd(): void {
    if (!this.#isEnded || this.#lines.hasLine) return;
    this.#hungUp = true;
    this.#dialogue.hangUp();
  }
}
