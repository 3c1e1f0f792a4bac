/** Lists that grow until the client says something: the engine reads ahead while it writes. */

import { assertEquals } from "@std/assert";
import type { Reply } from "../../lib/wire/reply.ts";
import { eventually, turns } from "../support/waiting.ts";
import { ScriptedDialogue, Talk } from "./scripted_dialogue.ts";

/** Parts that the test hands over one by one. */
class Parts {
  readonly #waiting: string[][] = [];
  #wake = Promise.withResolvers<void>();
  #ended = false;

  give(...lines: string[]): void {
    this.#waiting.push(lines);
    this.#wake.resolve();
  }

  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string[]> {
    for (;;) {
      while (this.#waiting.length > 0) yield this.#waiting.shift()!;
      if (this.#ended) return;
      this.#wake = Promise.withResolvers();
      await this.#wake.promise;
    }
  }
}

/** A dialogue whose WATCH goes on until it is told of another line, or that nobody waits. */
class WatchingDialogue extends ScriptedDialogue {
  readonly parts = new Parts();

  constructor() {
    super((line): Reply =>
      line === "WATCH" ? { kind: "live", text: "", parts: this.parts } : { kind: "ok", text: line }
    );
  }

  interrupted(): void {
    this.heard.push("interrupted");
    this.parts.end();
  }

  override hangUp(): void {
    super.hangUp();
    this.parts.end();
  }
}

Deno.test("Conversation sends each part of a live list before it waits for the next", async () => {
  const dialogue = new WatchingDialogue();
  await using talk = new Talk(dialogue);
  await talk.say("WATCH\r\n");
  dialogue.parts.give("a", ".b");
  assertEquals(await talk.hear("..b\r\n"), "+OK hello\r\n+OK\r\na\r\n..b\r\n");
  dialogue.parts.give("c");
  assertEquals(await talk.hear("c\r\n"), "c\r\n");
  await talk.say("next\r\n");
  assertEquals(await talk.hear("next\r\n"), ".\r\n+OK next\r\n");
  assertEquals(dialogue.heard, ["WATCH", "interrupted", "ok", "next", "ok"]);
});

Deno.test("Conversation lets a line that is not whole yet interrupt nothing", async () => {
  const dialogue = new WatchingDialogue();
  await using talk = new Talk(dialogue);
  await talk.say("WATCH\r\n");
  dialogue.parts.give("a");
  await talk.hear("a\r\n");
  for (const octet of "next\r") {
    await talk.say(octet);
    dialogue.parts.give(octet.trim());
    await talk.hear("\r\n");
  }
  assertEquals(dialogue.heard, ["WATCH"]);
  await talk.say("\n");
  assertEquals(await talk.hear("next\r\n"), ".\r\n+OK next\r\n");
});

Deno.test("Conversation tells of a line that came together with the command", async () => {
  const dialogue = new WatchingDialogue();
  await using talk = new Talk(dialogue);
  dialogue.parts.give("a");
  await talk.say("WATCH\r\none\r\ntwo\r\n");
  assertEquals(await talk.hear("two\r\n"), "+OK hello\r\n+OK\r\na\r\n.\r\n+OK one\r\n+OK two\r\n");
});

Deno.test("Conversation ends a live list when the client's side of the stream ends", async () => {
  const dialogue = new WatchingDialogue();
  await using talk = new Talk(dialogue);
  dialogue.parts.give("a");
  await talk.say("WATCH\r\n");
  await talk.hear("a\r\n");
  await talk.client.closeWrite();
  assertEquals(await talk.rest(), ".\r\n");
  assertEquals(await talk.over, "client-gone");
});

Deno.test("Conversation ends a live list when the client is gone", async () => {
  const dialogue = new WatchingDialogue();
  await using talk = new Talk(dialogue);
  await talk.say("WATCH\r\n");
  talk.client[Symbol.dispose]();
  assertEquals(await talk.over, "client-gone");
});

Deno.test("Conversation ends a live list when it is closed", async () => {
  const dialogue = new WatchingDialogue();
  await using talk = new Talk(dialogue);
  await talk.say("WATCH\r\n");
  await talk.hear("+OK\r\n");
  await eventually("WATCH being at work", () => dialogue.heard.includes("WATCH"));
  talk.conversation.close("kicked");
  assertEquals(await talk.over, "kicked");
});

Deno.test("Conversation takes what came while a command was at work in order, an over-long line among it", async () => {
  const dialogue = new WatchingDialogue();
  await using talk = new Talk(dialogue);
  await talk.say("WATCH\r\n");
  await talk.hear("+OK\r\n");
  await talk.say("x".repeat(10_000));
  await talk.say("\r\nafter\r\n");
  assertEquals(await talk.hear("after\r\n"), ".\r\n-ERR too long\r\n+OK after\r\n");
});

Deno.test("Conversation reads no more than the next line while a live list goes on", async () => {
  const dialogue = new WatchingDialogue();
  // A dialogue that goes on all the same: what the client sends waits in the connection.
  dialogue.interrupted = () => void dialogue.heard.push("interrupted");
  await using talk = new Talk(dialogue, { capacity: 1024 });
  await talk.say("WATCH\r\n");
  await talk.hear("+OK\r\n");
  await talk.say("line\r\n");
  await eventually("the interruption", () => dialogue.heard.includes("interrupted"));
  const flood = talk.say("more\r\n".repeat(1000));
  const first = await Promise.race([
    flood.then(() => "all was taken"),
    turns().then(() => "it waits"),
  ]);
  assertEquals(first, "it waits");
  dialogue.parts.end();
  const rest = talk.hear("+OK more\r\n");
  await rest;
});

Deno.test("Conversation applies the line limit that a command has changed to the very next line", async () => {
  let limit = 20;
  const dialogue = new ScriptedDialogue((line) => {
    if (line === "MORE") limit = 100;
    return { kind: "ok", text: `${line.length}` };
  });
  Object.defineProperty(dialogue, "lineLimit", { get: () => limit });
  await using talk = new Talk(dialogue);
  await talk.say(`${"x".repeat(60)}\r\nMORE\r\n${"x".repeat(60)}\r\n`);
  assertEquals(await talk.hear("+OK 60\r\n"), "+OK hello\r\n-ERR too long\r\n+OK 4\r\n+OK 60\r\n");
});

/** A command that works until the client has left. */
function untilHungUp(): { dialogue: ScriptedDialogue; left: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const dialogue = new class extends ScriptedDialogue {
    override hangUp(): void {
      super.hangUp();
      resolve();
    }
  }(async (line) => {
    if (line === "slow") await promise;
    return { kind: "ok", text: line };
  });
  return { dialogue, left: promise };
}

Deno.test("Conversation notices a connection that breaks while further commands wait", async () => {
  const { dialogue, left } = untilHungUp();
  await using talk = new Talk(dialogue);
  await talk.say("slow\r\nnext\r\n");
  await eventually("the command at work", () => dialogue.heard.includes("slow"));
  talk.client.reset();
  await left;
  assertEquals(await talk.over, "client-gone");
  assertEquals(dialogue.heard.includes("next"), false);
});

Deno.test("Conversation does not take a client for gone that has said all its commands at once", async () => {
  const { dialogue, left } = untilHungUp();
  await using talk = new Talk(dialogue);
  await talk.say("slow\r\nnext\r\n");
  await talk.client.closeWrite();
  await eventually("the command at work", () => dialogue.heard.includes("slow"));
  await eventually("the client's end being read", () => talk.isEndRead);
  await turns();
  assertEquals(dialogue.heard, ["slow"]);
  talk.conversation.close("kicked");
  await left;
});
