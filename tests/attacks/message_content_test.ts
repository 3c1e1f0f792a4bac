// A message's octets are never taken for protocol, by us or by the client (CVE-2001-0996).
import { assert, assertEquals } from "@std/assert";
import {
  AWKWARD_MESSAGES,
  BIG_MESSAGES,
  octetsOf,
  stuffedForm,
  textOf,
  wireForm,
} from "../support/awkward_messages.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { type Stage, startStage, USERS } from "./stage.ts";

/** What would end the message, or say something, if a client or server took it for protocol. */
const PROTOCOL = [
  ".\r\n",
  "\r\n.\r\n",
  "\n.\n",
  "\n.\r\n",
  "\r.\r",
  "\r\n.\r\n+OK bye\r\n",
  "\r\n.\r\n-ERR gone\r\nQUIT\r\n",
  "..\r\n.\r\n..\r\n",
  "\0.\0\r\n.\r\n",
  "DELE 1\r\nQUIT\r\n",
];

/** The same pieces so that each lies across the border of every buffer that there may be. */
function acrossBorders(): Uint8Array[] {
  return [16_384, 65_536, 262_144].flatMap((border) =>
    [-4, -3, -2, -1, 0, 1].map((shift) => {
      const filler = "x".repeat(70) + "\r\n";
      const size = border + shift;
      const head = "Subject: border\r\n\r\n";
      const before = head + filler.repeat(Math.ceil(size / 72)).slice(0, size - head.length);
      return octetsOf(`${before}\r\n.\r\n.\r\n..\r\n\n.\nafter\r\n`);
    })
  );
}

const MESSAGES: readonly Uint8Array[] = [
  ...AWKWARD_MESSAGES.values(),
  ...BIG_MESSAGES.values(),
  ...PROTOCOL.flatMap((piece) =>
    ["", "Subject: a\r\n\r\n", "Subject: a\r\n\r\ntext\r\n"].map((head) => octetsOf(head + piece))
  ),
  ...acrossBorders(),
];

async function requireWhole(
  client: Pop3Client,
  command: string,
  stored: Uint8Array,
): Promise<void> {
  await client.ok(command);
  const sent = await client.multilineSent();
  const expected = textOf(stuffedForm(stored));
  assert(textOf(sent) === expected, `${command}: ${JSON.stringify(textOf(sent).slice(-200))}`);
}

async function requireAll(stage: Stage, known: boolean): Promise<void> {
  using client = await stage.connect();
  await client.login("alice", USERS.alice);
  await client.ok("LIST");
  const sizes = (await client.list()).map((line) => Number(line.split(" ")[1]));
  for (const [index, stored] of MESSAGES.entries()) {
    const number = index + 1;
    assertEquals(sizes[index], wireForm(stored).length, `LIST ${number}`);
    await requireWhole(client, `RETR ${number}`, stored);
    // With all lines that there are, TOP sends what RETR sends.
    await requireWhole(client, `TOP ${number} 99999999`, stored);
    await client.ok(`TOP ${number} 0`);
    const header = textOf(await client.multilineSent());
    assert(header.endsWith("\r\n.\r\n") || header === ".\r\n", `TOP ${number} 0`);
    if (known) {
      const first = await client.command(`RETR ${number}`);
      assertEquals(first, `+OK ${sizes[index]} octets`);
      await client.multilineSent();
    }
  }
  // Not one octet of them was obeyed.
  assertEquals(
    await client.command("STAT"),
    `+OK ${MESSAGES.length} ${sizes.reduce((sum, size) => sum + size, 0)}`,
  );
  assertEquals(await client.command("QUIT"), `+OK ${MESSAGES.length} messages left`);
  await client.ended();
}

Deno.test("content: nothing in a message ends it early or speaks for the server", async () => {
  await using stage = await startStage({ tls: false, messages: MESSAGES });
  await requireAll(stage, true);
});

Deno.test("content: the same behind a transformer that changes nothing", async () => {
  const messages = MESSAGES.filter((message) => message.length > 0).slice(0, 60);
  await using stage = await startStage({ tls: false, messages, flags: ["-t", "cat"] });
  using client = await stage.connect();
  await client.login("alice", USERS.alice);
  for (const [index, stored] of messages.entries()) {
    await requireWhole(client, `RETR ${index + 1}`, stored);
    await requireWhole(client, `TOP ${index + 1} 99999999`, stored);
  }
  await client.ok("QUIT");
});

Deno.test("content: a transformer that speaks POP3 is sent as a message", async () => {
  await using stage = await startStage({
    tls: false,
    flags: ["-t", String.raw`printf '+OK\r\n.\r\n-ERR [AUTH] no\r\n.\nQUIT\r\n.'`],
  });
  using client = await stage.connect();
  await client.login("alice", USERS.alice);
  await client.ok("RETR 1");
  const sent = textOf(await client.multilineSent());
  assertEquals(sent, "+OK\r\n..\r\n-ERR [AUTH] no\r\n..\r\nQUIT\r\n..\r\n.\r\n");
  assertEquals(await client.command("STAT"), "+OK 3 900");
});
