// Messages that are stored compressed: sized and sent as the mail that they are.

import { assertEquals } from "@std/assert";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { Maildrop } from "../../lib/contracts/mail_store.ts";
import { TempMail } from "./temp_mail.ts";

const MAIL = `Subject: x\n\n${".line\n".repeat(50_000)}`;
const SENT = MAIL.replaceAll("\n", "\r\n").length;

async function contents(maildrop: Maildrop, at: number): Promise<string> {
  using message = await maildrop.open(maildrop.messages[at]!);
  const into = new Uint8Array(64 * 1024);
  const decoder = new TextDecoder();
  let text = "";
  for (let count; (count = message.readSync(into)) !== null;) {
    text += decoder.decode(into.subarray(0, count), { stream: true });
  }
  return text;
}

Deno.test("messages that Dovecot's zlib plugin stored are sized and read unpacked", async () => {
  using mail = new TempMail();
  const small = "Subject: s\r\n\r\ny\r\n";
  const damaged = gzipSync(MAIL).subarray(0, 300);
  mail.maildir("alice", {
    "cur/1.M1P1.host,S=1,W=2:2,SZ": gzipSync(MAIL),
    "cur/2.M1P1.host:2,S": zstdCompressSync(MAIL),
    "new/3.M1P1.host": gzipSync(small),
    "new/4.M1P1.host": damaged,
    "new/5.M1P1.host": small,
  });
  for (const login of ["first", "from the cache"]) {
    await using maildrop = await mail.store().acquire("alice");
    const sizes = maildrop.messages.map(({ size }) => size);
    assertEquals(sizes.slice(0, 3), [SENT, SENT, small.length], login);
    assertEquals(sizes[4], small.length);
    for (const at of [0, 1]) assertEquals(await contents(maildrop, at), MAIL, login);
    assertEquals(await contents(maildrop, 2), small);
    // What cannot be unpacked is sent as it is, and nobody's login fails for it.
    assertEquals((await contents(maildrop, 3)).length > 0, true);
    assertEquals(mail.names("alice", "tmp"), []);
  }
});
