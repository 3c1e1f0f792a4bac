/** A dialogue for the engine's tests: answers what it is told to, and notes what happens to it. */

import type { CloseReason } from "../../lib/contracts/event.ts";
import { MemoryConnection, type MemoryConnectionOptions } from "../../lib/net/memory_connection.ts";
import { Conversation } from "../../lib/wire/conversation.ts";
import type { Dialogue, Outcome, Patience } from "../../lib/wire/dialogue.ts";
import type { Reply } from "../../lib/wire/reply.ts";
import { StallClock } from "../../lib/wire/stall_guard.ts";

/** Answers by keyword. */
export type Script = (line: string) => Reply | Promise<Reply>;

/** Says what it is told to. */
export class ScriptedDialogue implements Dialogue {
  readonly lineLimit = 255;
  maxBadCommands = 8;
  patience: Patience = { read: 0, silent: "idle", write: 0 };
  /** What was heard, in order: lines, and what the engine told. */
  readonly heard: string[] = [];
  ended: CloseReason | undefined;
  octets = 0;
  readonly #script: Script;

  constructor(script: Script = (line) => ({ kind: "ok", text: line })) {
    this.#script = script;
  }

  greet(): Reply {
    return { kind: "ok", text: "hello" };
  }

  obey(line: Uint8Array): Reply | Promise<Reply> {
    const text = new TextDecoder().decode(line);
    this.heard.push(text);
    return this.#script(text);
  }

  refuseLongLine(): Reply {
    return { kind: "error", text: "too long", bad: true };
  }

  answered(outcome: Outcome): void {
    this.heard.push(outcome);
  }

  wrote(octets: number): void {
    this.octets += octets;
  }

  secured(): void {
    this.heard.push("secured");
  }

  unsecured(): void {
    this.heard.push("unsecured");
  }

  hangUp(): void {
    this.heard.push("hang-up");
  }

  end(reason: CloseReason): Promise<void> {
    this.ended = reason;
    return Promise.resolve();
  }
}

/** A conversation with the client's end in the test's hands. */
export class Talk implements AsyncDisposable {
  readonly client: MemoryConnection;
  readonly conversation: Conversation;
  readonly over: Promise<CloseReason>;
  /** Errors that the engine reported as faults of ours. */
  readonly faults: unknown[] = [];
  /** Each write of the server, as it was given to the connection. */
  readonly writes: string[] = [];
  /** Octets that the server has read. */
  taken = 0;
  /** Whether the server has read the end of what the client sends. */
  isEndRead = false;
  /** Writes of the server that wait for the client to read. */
  writing = 0;
  readonly #decoder = new TextDecoder("latin1");
  #received = "";

  /** @param stalls looks at the waits, on a clock of the test's where it matters */
  constructor(
    dialogue: Dialogue,
    options: MemoryConnectionOptions = {},
    stalls: StallClock = new StallClock(),
  ) {
    const { client, server } = MemoryConnection.pair(options);
    this.client = client;
    const write = server.write.bind(server);
    server.write = async (octets) => {
      this.writes.push(this.#decoder.decode(octets));
      this.writing++;
      try {
        return await write(octets);
      } finally {
        this.writing--;
      }
    };
    const read = server.read.bind(server);
    server.read = async (into) => {
      const octets = await read(into);
      this.taken += octets ?? 0;
      this.isEndRead ||= octets === null;
      return octets;
    };
    const fault = (error: unknown): void => void this.faults.push(error);
    this.conversation = new Conversation(server, dialogue, fault, stalls);
    this.over = this.conversation.run();
  }

  /** Sends as given. */
  async say(text: string): Promise<void> {
    let octets = new TextEncoder().encode(text);
    while (octets.length > 0) octets = octets.subarray(await this.client.write(octets));
  }

  /** Everything up to and including the first `end`. */
  async hear(end: string): Promise<string> {
    for (;;) {
      const at = this.#received.indexOf(end);
      if (at >= 0) {
        const text = this.#received.slice(0, at + end.length);
        this.#received = this.#received.slice(at + end.length);
        return text;
      }
      if (!await this.#receive()) {
        throw new Error(`The stream ended with ${JSON.stringify(this.#received)}`);
      }
    }
  }

  /** Everything up to the end of the stream. */
  async rest(): Promise<string> {
    while (await this.#receive()) { /* until the end */ }
    return this.#received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    await this.over;
  }

  async #receive(): Promise<boolean> {
    const octets = new Uint8Array(65_536);
    const length = await this.client.read(octets);
    if (length === null) return false;
    this.#received += this.#decoder.decode(octets.subarray(0, length));
    return true;
  }
}
