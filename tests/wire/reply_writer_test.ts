/** How replies look on the wire. */

import { assert, assertEquals } from "@std/assert";
import type { StoredMessage } from "../../lib/contracts/mail_store.ts";
import type { Reply } from "../../lib/wire/reply.ts";
import { AWKWARD_MESSAGES, stuffedForm, wireForm } from "../support/awkward_messages.ts";
import { outputOf } from "../support/message_output.ts";
import { ScriptedDialogue, Talk } from "./scripted_dialogue.ts";

/** A message in memory; `fails` after so many octets. */
function stored(octets: Uint8Array, fails = Infinity): StoredMessage & { disposed: boolean } {
  let at = 0;
  const wire = wireForm(octets);
  return {
    disposed: false,
    size: wire.length,
    storedSize: octets.length,
    verbatim: wire.length === octets.length && stuffedForm(octets).length === wire.length + 3,
    readSync(into: Uint8Array): number | null {
      if (at >= fails) throw new Error("The disk is broken");
      if (at >= octets.length) return null;
      const part = octets.subarray(at, Math.min(at + into.length, fails));
      into.set(part);
      at += part.length;
      return part.length;
    },
    file: undefined,
    [Symbol.dispose](): void {
      this.disposed = true;
    },
  };
}

async function answer(reply: Reply): Promise<string> {
  await using talk = new Talk(new ScriptedDialogue(() => reply));
  await talk.hear("hello\r\n");
  await talk.say("GO\r\n");
  await talk.client.closeWrite();
  return await talk.rest();
}

Deno.test("A first line has at most 512 octets, cut at a character's border", async () => {
  const line = await answer({ kind: "ok", text: "é".repeat(400) });
  assert(new TextEncoder().encode(line).length <= 1024);
  assertEquals(line.length <= 512 && line.endsWith("\r\n"), true);
});

Deno.test("A text cannot end its line early", async () => {
  assertEquals(
    await answer({ kind: "error", code: "AUTH", text: "a\r\n+OK b\0c" }),
    "-ERR [AUTH] a +OK b c\r\n",
  );
});

Deno.test("An empty list ends with its dot, and a line that begins with a dot gets one more", async () => {
  assertEquals(await answer({ kind: "list", text: "none", lines: [] }), "+OK none\r\n.\r\n");
  assertEquals(
    await answer({ kind: "list", text: "", lines: [".", "..x", "y"] }),
    "+OK\r\n..\r\n...x\r\ny\r\n.\r\n",
  );
});

Deno.test("Every awkward message leaves as the standard wants it, stored or from a program", async () => {
  const decoder = new TextDecoder("latin1");
  for (const [name, octets] of AWKWARD_MESSAGES) {
    const expected = `+OK here\r\n${decoder.decode(stuffedForm(octets))}`;
    const message = stored(octets);
    assertEquals(
      await answer({ kind: "message", text: "here", body: { kind: "stored", message } }),
      expected,
      name,
    );
    assert(message.disposed, name);
    const output = outputOf([octets]);
    assertEquals(
      await answer({ kind: "message", text: "here", body: { kind: "output", output } }),
      expected,
      name,
    );
  }
});

Deno.test("A message's last line and the terminator leave in one write", async () => {
  const octets = new TextEncoder().encode("line\r\n".repeat(200_000));
  for (
    const body of [
      { kind: "stored", message: stored(octets) },
      { kind: "output", output: outputOf([octets]) },
    ] as const
  ) {
    const talk = new Talk(new ScriptedDialogue(() => ({ kind: "message", text: "here", body })), {
      capacity: 1 << 22,
    });
    await talk.hear("hello\r\n");
    await talk.say("GO\r\n");
    await talk.hear("\r\n.\r\n");
    assert(talk.writes.at(-1)?.endsWith("line\r\n.\r\n"));
    await talk[Symbol.asyncDispose]();
  }
});

Deno.test("A message that cannot be read at all is answered with an error, and the session goes on", async () => {
  await using talk = new Talk(
    new ScriptedDialogue((line) =>
      line === "GO"
        ? {
          kind: "message",
          text: "here",
          body: { kind: "stored", message: stored(new Uint8Array(10), 0) },
        }
        : { kind: "ok", text: line }
    ),
  );
  await talk.hear("hello\r\n");
  await talk.say("GO\r\nNOOP\r\n");
  assertEquals(
    await talk.hear("NOOP\r\n"),
    "-ERR [SYS/TEMP] The message cannot be read now, try again later\r\n+OK NOOP\r\n",
  );
});

Deno.test("A message that fails in its middle ends the connection without the terminator", async () => {
  const octets = new TextEncoder().encode("line\r\n".repeat(200_000));
  const message = stored(octets, 900_000);
  const talk = new Talk(
    new ScriptedDialogue(() => ({
      kind: "message",
      text: "here",
      body: { kind: "stored", message },
    })),
    { capacity: 1 << 22 },
  );
  await talk.say("GO\r\n");
  const text = await talk.rest();
  assert(!text.includes("\r\n.\r\n"));
  assertEquals(await talk.over, "error");
  assertEquals(talk.faults.length, 1);
  assert(message.disposed);
});

Deno.test("A message's output is cancelled when the client goes away", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  function* endless(): Generator<Uint8Array> {
    while (true) yield new Uint8Array(10_000);
  }
  const output = outputOf(endless(), { cancelled: () => resolve() });
  const talk = new Talk(
    new ScriptedDialogue(() => ({
      kind: "message",
      text: "here",
      body: { kind: "output", output },
    })),
  );
  await talk.say("GO\r\n");
  await talk.hear("here\r\n");
  talk.client[Symbol.dispose]();
  await promise;
  await talk.over;
});

Deno.test("TOP sends the header, the empty line and so many lines, and reads no more than it needs", async () => {
  const octets = new TextEncoder().encode(`A: b\n\n${"body\n".repeat(1_000_000)}`);
  const message = stored(octets, 20_000);
  assertEquals(
    await answer({ kind: "message", text: "top", body: { kind: "stored", message }, lines: 2 }),
    "+OK top\r\nA: b\r\n\r\nbody\r\nbody\r\n.\r\n",
  );
});

Deno.test("Small messages join other answers in one write", async () => {
  const octets = new TextEncoder().encode("A: b\n\nx\n");
  await using talk = new Talk(
    new ScriptedDialogue(() => ({
      kind: "message",
      text: "m",
      body: { kind: "stored", message: stored(octets) },
    })),
  );
  await talk.hear("hello\r\n");
  await talk.say("GO\r\n".repeat(10));
  for (let index = 0; index < 10; index++) await talk.hear("\r\n.\r\n");
  assertEquals(talk.writes.length, 2);
});
