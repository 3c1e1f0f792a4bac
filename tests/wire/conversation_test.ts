/** The engine, held over in-memory connections. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Reply } from "../../lib/wire/reply.ts";
import { StallClock } from "../../lib/wire/stall_guard.ts";
import { TestClock } from "../support/test_clock.ts";
import { eventually, turns } from "../support/waiting.ts";
import { ScriptedDialogue, Talk } from "./scripted_dialogue.ts";

const TLS = { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" };

Deno.test("Conversation greets, obeys, and ends when a reply says so", async () => {
  const dialogue = new ScriptedDialogue((line) =>
    line === "QUIT" ? { kind: "ok", text: "bye", effect: "close" } : { kind: "ok", text: line }
  );
  await using talk = new Talk(dialogue);
  await talk.say("one\r\ntwo\nQUIT\r\n");
  assertEquals(await talk.rest(), "+OK hello\r\n+OK one\r\n+OK two\r\n+OK bye\r\n");
  assertEquals(await talk.over, "quit");
  assertEquals(dialogue.ended, "quit");
});

Deno.test("Conversation answers commands that arrive together in order and in one write", async () => {
  await using talk = new Talk(new ScriptedDialogue());
  await talk.hear("\r\n");
  const lines = Array.from({ length: 15 }, (_, index) => `c${index}`);
  await talk.say(lines.map((line) => `${line}\r\n`).join(""));
  await talk.hear("c14\r\n");
  assertEquals(talk.writes.slice(1), [lines.map((line) => `+OK ${line}\r\n`).join("")]);
});

Deno.test("Conversation answers a line that arrives octet by octet", async () => {
  await using talk = new Talk(new ScriptedDialogue());
  await talk.hear("\r\n");
  for (const octet of "NOOP\r\n") await talk.say(octet);
  assertEquals(await talk.hear("\r\n"), "+OK NOOP\r\n");
});

Deno.test("Conversation discards an over-long line, answers it once, and goes on", async () => {
  await using talk = new Talk(new ScriptedDialogue());
  await talk.hear("\r\n");
  await talk.say("x".repeat(300_000));
  await talk.say("\r\nNOOP\r\n");
  assertEquals(await talk.hear("NOOP\r\n"), "-ERR too long\r\n+OK NOOP\r\n");
});

Deno.test("Conversation takes a line of exactly the limit and refuses one octet more", async () => {
  const dialogue = new ScriptedDialogue((line) => ({ kind: "ok", text: `${line.length}` }));
  await using talk = new Talk(dialogue);
  await talk.hear("\r\n");
  await talk.say(`${"x".repeat(253)}\r\n${"x".repeat(254)}\r\n`);
  assertEquals(await talk.hear("long\r\n"), "+OK 253\r\n-ERR too long\r\n");
});

Deno.test("Conversation ends after so many bad commands in a row, and not before", async () => {
  const dialogue = new ScriptedDialogue((line) =>
    line === "good" ? { kind: "ok" } : { kind: "error", text: "no", bad: true }
  );
  dialogue.maxBadCommands = 3;
  await using talk = new Talk(dialogue);
  await talk.say("bad\r\nbad\r\ngood\r\nbad\r\nbad\r\nbad\r\nnever\r\n");
  const text = await talk.rest();
  assertStringIncludes(text, "-ERR no; too many bad commands, closing\r\n");
  assertEquals(text.split("\r\n").length - 1, 7);
  assertEquals(await talk.over, "bad-commands");
  assert(!dialogue.heard.includes("never"));
});

Deno.test("Conversation does not count a good command that could not be done", async () => {
  const dialogue = new ScriptedDialogue(() => ({ kind: "error", text: "no such message" }));
  dialogue.maxBadCommands = 2;
  await using talk = new Talk(dialogue);
  await talk.say("a\r\nb\r\nc\r\nd\r\n");
  for (let index = 0; index < 4; index++) await talk.hear("message\r\n");
});

Deno.test("Conversation closes without a word when the client is silent for too long", async () => {
  const dialogue = new ScriptedDialogue();
  dialogue.patience = { read: 30, silent: "idle", write: 0 };
  await using talk = new Talk(dialogue);
  assertEquals(await talk.rest(), "+OK hello\r\n");
  assertEquals(await talk.over, "idle");
});

Deno.test("Conversation gives each line its own patience", async () => {
  const dialogue = new ScriptedDialogue();
  dialogue.patience = { read: 200, silent: "idle", write: 0 };
  const clock = new TestClock();
  const stalls = new StallClock(clock);
  await using talk = new Talk(dialogue, {}, stalls);
  await talk.hear("hello\r\n");
  const silence = async (milliseconds: number): Promise<void> => {
    // So that it waits for the next line when the time passes.
    await turns();
    clock.advance(milliseconds);
    stalls.look();
    await turns();
  };
  for (let index = 0; index < 5; index++) {
    await silence(199);
    await talk.say(`line${index}\r\n`);
    await talk.hear(`line${index}\r\n`);
  }
  await silence(199);
  assertEquals(dialogue.ended, undefined);
  await silence(1);
  assertEquals(await talk.over, "idle");
});

Deno.test("Conversation closes on a client that takes nothing of what it asked for", async () => {
  const lines = function* (): Generator<string> {
    for (;;) yield "x".repeat(70);
  };
  const dialogue = new ScriptedDialogue(() => ({ kind: "list", text: "much", lines: lines() }));
  dialogue.patience = { read: 0, silent: "idle", write: 30 };
  await using talk = new Talk(dialogue, { capacity: 1000 });
  await talk.say("LIST\r\n");
  assertEquals(await talk.over, "not-reading");
  assert(dialogue.octets <= 1000 + 70_000, `${dialogue.octets} octets were written`);
});

Deno.test("Conversation obeys nothing more while the client does not read", async () => {
  const dialogue = new ScriptedDialogue(() => ({ kind: "ok", text: "x".repeat(400) }));
  await using talk = new Talk(dialogue, { capacity: 500 });
  const saying = talk.say("NOOP\r\n".repeat(100_000)).catch(() => undefined);
  const begun = dialogue.heard.length;
  await eventually("an answer that waits for the client", () => talk.writing === 1);
  const obeyed = dialogue.heard.length;
  await turns();
  assertEquals(talk.writing, 1);
  assertEquals(dialogue.heard.length, obeyed);
  assert(obeyed - begun < 1000, `${obeyed} commands were obeyed unread`);
  talk.client[Symbol.dispose]();
  await saying;
});

Deno.test("Conversation tells a handler's failure as a fault, answers, and goes on", async () => {
  const dialogue = new ScriptedDialogue((line) => {
    if (line === "bad") return Promise.reject(new TypeError("a fault"));
    return { kind: "ok", text: line };
  });
  await using talk = new Talk(dialogue);
  await talk.say("bad\r\ngood\r\n");
  assertStringIncludes(await talk.hear("good\r\n"), "-ERR [SYS/TEMP] Internal server error");
  assertEquals(talk.faults.length, 1);
});

Deno.test("Conversation tells a handler at work that its client is gone", async () => {
  const { promise, resolve } = Promise.withResolvers<Reply>();
  const dialogue = new ScriptedDialogue(() => promise);
  dialogue.hangUp = () => resolve({ kind: "error", text: "gone" });
  await using talk = new Talk(dialogue);
  await talk.hear("hello\r\n");
  await talk.say("SLOW\r\n");
  await talk.client.closeWrite();
  assertEquals(await talk.rest(), "-ERR gone\r\n");
  assertEquals(await talk.over, "client-gone");
});

Deno.test("Conversation answers a client that has said everything and ended its side", async () => {
  const dialogue = new ScriptedDialogue(async (line) => {
    await eventually("the client's end being read", () => talk.isEndRead);
    return line === "QUIT"
      ? { kind: "ok", text: "bye", effect: "close" }
      : { kind: "ok", text: line };
  });
  await using talk = new Talk(dialogue);
  await talk.say("one\r\nQUIT\r\n");
  await talk.client.closeWrite();
  assertEquals(await talk.rest(), "+OK hello\r\n+OK one\r\n+OK bye\r\n");
  assertEquals(await talk.over, "quit");
});

Deno.test("Conversation keeps what arrives while a command is at work", async () => {
  const later = "next\r\nlast\r\n";
  const dialogue = new ScriptedDialogue(async (line) => {
    if (line === "slow") {
      await talk.say(later);
      await eventually(
        "the next being read",
        () => talk.taken === "slow\r\n".length + later.length,
      );
    }
    return { kind: "ok", text: line };
  });
  await using talk = new Talk(dialogue);
  await talk.say("slow\r\n");
  assertEquals(await talk.hear("last\r\n"), "+OK hello\r\n+OK slow\r\n+OK next\r\n+OK last\r\n");
});

Deno.test("Conversation forgets what came in clear behind STLS, in the same segment", async () => {
  const dialogue = new ScriptedDialogue((line) =>
    line === "STLS"
      ? { kind: "ok", text: "begin", effect: "start-tls" }
      : { kind: "ok", text: line }
  );
  await using talk = new Talk(dialogue, { upgrade: TLS });
  await talk.hear("hello\r\n");
  await talk.say("STLS\r\nUSER injected\r\nPASS injected\r\n");
  await talk.hear("begin\r\n");
  await talk.say("NOOP\r\n");
  assertEquals(await talk.hear("\r\n"), "+OK NOOP\r\n");
  assertEquals(dialogue.heard.filter((heard) => heard !== "ok"), ["STLS", "secured", "NOOP"]);
});

Deno.test("Conversation ends when the handshake fails", async () => {
  const dialogue = new ScriptedDialogue(() => ({ kind: "ok", effect: "start-tls" }));
  const { MemoryConnection } = await import("../../lib/net/memory_connection.ts");
  const { Conversation } = await import("../../lib/wire/conversation.ts");
  const { client, server } = MemoryConnection.pair();
  const failing = Object.assign(server, { startTls: () => Promise.reject(new Error("no")) });
  const over = new Conversation(failing, dialogue, () => {}).run();
  await client.write(new TextEncoder().encode("STLS\r\n"));
  assertEquals(await over, "tls-failed");
  assert(dialogue.heard.includes("unsecured"));
});

Deno.test("Conversation leads a challenge's answer to whoever asked for it, under SASL's limit", async () => {
  const dialogue = new ScriptedDialogue(() => ({
    kind: "challenge",
    data: new Uint8Array([1, 2, 3]),
    answer: (line) => Promise.resolve({ kind: "ok", text: `${line.length}` }),
  }));
  await using talk = new Talk(dialogue);
  await talk.hear("hello\r\n");
  await talk.say(`AUTH X\r\n${"a".repeat(9000)}\r\n`);
  assertEquals(await talk.hear("9000\r\n"), "+ AQID\r\n+OK 9000\r\n");
});

Deno.test("Conversation tells whoever asked by a challenge of an over-long answer, and then is done with it", async () => {
  const dialogue = new ScriptedDialogue((line) =>
    line === "AUTH X"
      ? {
        kind: "challenge",
        data: new Uint8Array(),
        answer: (answer) => Promise.resolve({ kind: "error", text: `${answer}` }),
      }
      : { kind: "ok", text: line }
  );
  await using talk = new Talk(dialogue);
  await talk.hear("hello\r\n");
  await talk.say(`AUTH X\r\n${"a".repeat(13_000)}\r\nNOOP\r\n`);
  assertEquals(await talk.hear("NOOP\r\n"), "+ \r\n-ERR too-long\r\n+OK NOOP\r\n");
});

Deno.test("Conversation tells of one answer a command: none for the greeting, one for an exchange", async () => {
  const OK: Reply = { kind: "ok" };
  const challenge = (answer: () => Promise<Reply>): Reply => ({
    kind: "challenge",
    data: new Uint8Array(),
    answer,
  });
  const dialogue = new ScriptedDialogue((line) =>
    line === "AUTH" ? challenge(() => Promise.resolve(challenge(() => Promise.resolve(OK)))) : OK
  );
  await using talk = new Talk(dialogue);
  await talk.say("AUTH\r\none\r\ntwo\r\nNOOP\r\n");
  await talk.hear("+OK\r\n+OK\r\n");
  assertEquals(dialogue.heard, ["AUTH", "ok", "NOOP", "ok"]);
});

Deno.test("Conversation ends from outside, whatever is pending", async () => {
  const dialogue = new ScriptedDialogue();
  await using talk = new Talk(dialogue);
  await talk.hear("\r\n");
  talk.conversation.close("kicked");
  assertEquals(await talk.over, "kicked");
  assertEquals(dialogue.ended, "kicked");
});

Deno.test("Conversation that ended by QUIT stays one when the client is gone before the farewell", async () => {
  const dialogue = new ScriptedDialogue(() => ({ kind: "ok", text: "bye", effect: "close" }));
  const { MemoryConnection } = await import("../../lib/net/memory_connection.ts");
  const { Conversation } = await import("../../lib/wire/conversation.ts");
  const { client, server } = MemoryConnection.pair();
  server.closeWrite = () => Promise.reject(new Deno.errors.NotConnected("the peer has reset it"));
  const over = new Conversation(server, dialogue, () => {}).run();
  await client.write(new TextEncoder().encode("QUIT\r\n"));
  assertEquals(await over, "quit");
});

/** Notes what the client has seen. */
class AttentiveDialogue extends ScriptedDialogue {
  acknowledged(): void {
    this.heard.push("acknowledged");
  }
}

Deno.test("Conversation tells what the client has seen by the lines that it sends afterwards", async () => {
  const slow = Promise.withResolvers<Reply>();
  const dialogue = new AttentiveDialogue((line) =>
    line === "SLOW" ? slow.promise : { kind: "ok", text: line }
  );
  await using talk = new Talk(dialogue);
  await talk.say("A\r\nB\r\n");
  await talk.hear("+OK B\r\n");
  await talk.say("SLOW\r\n");
  await eventually("the command being at work", () => dialogue.heard.includes("SLOW"));
  const taken = talk.taken;
  await talk.say("AHEAD\r\n");
  await eventually("the line being read while a command is at work", () => talk.taken > taken);
  slow.resolve({ kind: "ok", text: "slow" });
  await talk.hear("+OK AHEAD\r\n");
  await talk.say("LAST\r\n");
  await talk.hear("+OK LAST\r\n");
  assertEquals(dialogue.heard.filter((word) => word !== "ok"), [
    "acknowledged",
    "A",
    "B",
    "acknowledged",
    "SLOW",
    "AHEAD",
    "acknowledged",
    "LAST",
  ]);
});
