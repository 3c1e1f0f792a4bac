// A folder is a plain mailbox only while all its files are mail: by their names, or by what they begin with.

import { assertEquals, assertRejects } from "@std/assert";
import { crc32 } from "node:zlib";
import { MaildropUnreadableError } from "../../lib/contracts/mail_store.ts";
import type { FolderMailStoreOptions } from "../../lib/mail/folder/folder_mail_store.ts";
import { Mark } from "../../lib/mail/folder/message_index.ts";
import { readsLikeMail } from "../../lib/mail/folder/plain_mail.ts";
import { TestRunningTime } from "../support/test_clock.ts";
import { TempMail } from "./temp_mail.ts";

const CACHE = ".postern-cache";
const MESSAGE = "X-Made-By: hand\nSubject: a message\n\ntext\n";

const octets = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

async function count(
  mail: TempMail,
  options: Partial<FolderMailStoreOptions> = {},
): Promise<number> {
  await using maildrop = await mail.store(options).acquire("alice");
  return maildrop.messages.length;
}

/** Makes a cache like one of an older version, which looked into no file. */
function forgetMarks(path: string, rows: number): void {
  const cache = Deno.readFileSync(path);
  const marks = 128 + 33 * rows;
  for (let row = 0; row < rows; row++) cache[marks + row]! &= ~Mark.MAIL;
  new DataView(cache.buffer).setUint32(4, crc32(cache.subarray(8)), true);
  Deno.writeFileSync(path, cache);
}

async function refused(mail: TempMail, file: string): Promise<void> {
  const error = await assertRejects(() => mail.store().acquire("alice"), MaildropUnreadableError);
  assertEquals(error.message.includes(`holds ${file}, which does not look like mail`), true);
}

Deno.test("mail is told by its header fields, or by mbox's line before them", () => {
  const mail = [
    "Subject: x\n",
    "Received: from a\r\n\tby b\r\n",
    "Return-path : <a@b>\n",
    "Unknown: 1\n folded\nTO: a@example.org\n\n",
    "X-Spam-Status: No\n\n",
    `X-Report: ${"x".repeat(4090)}`.slice(0, 4096),
    "From MAILER-DAEMON Fri Jul  8 12:08:34 2011\nanything",
    "From - Sat Jan 01 09:00 2000\n",
  ];
  for (const text of mail) assertEquals(readsLikeMail(octets(text)), true, text);
  const other = [
    "",
    "\n",
    "\nSubject: behind an empty line\n",
    " Subject: folded, but of what?\n",
    "Subject\n",
    "Note: 1\nSomething else\nSubject: no header any more\n",
    "Note: 1\n\nSubject: a body\n",
    "From here on we walked\n",
    "#!/bin/sh\necho Subject: x\n",
    "PK\x03\x04\n",
    '{"subject": 1}',
    "Überschrift: x\n",
    "\0".repeat(4096),
  ];
  for (const text of other) assertEquals(readsLikeMail(octets(text)), false, text);
});

Deno.test("a folder with one other file is no mailbox: nothing is listed, made or removed", async () => {
  using mail = new TempMail();
  mail.put("alice", { "1.eml": "", "1700000001.M1P2.host": "any", note: MESSAGE });
  assertEquals(await count(mail), 3);
  Deno.removeSync(mail.path("alice", CACHE));
  for (const content of ["years of work", "\0\0", "\x7fELF"]) {
    mail.put("alice", { "thesis.odt": content });
    await refused(mail, "thesis.odt");
    assertEquals(mail.names("alice"), ["1.eml", "1700000001.M1P2.host", "note", "thesis.odt"]);
  }
  Deno.removeSync(mail.path("alice/thesis.odt"));
  for (const name of ["1234567890.pdf", "1234567890.tar.gz", "eml", "message.eml.zip"]) {
    mail.put("alice", { [name]: "no header" });
    await refused(mail, name);
    Deno.removeSync(mail.path("alice", name));
  }
  assertEquals(await count(mail), 3);
});

Deno.test("an empty file is a message beside mail, and no mailbox alone", async () => {
  using mail = new TempMail();
  mail.put("alice", { touched: "" });
  await refused(mail, "touched");
  mail.put("alice", { note: MESSAGE });
  assertEquals(await count(mail), 2);
  // By the cache as well as by looking.
  assertEquals(await count(mail), 2);
  Deno.removeSync(mail.path("alice/note"));
  await refused(mail, "touched");
  mail.put("alice", { "empty.eml": "" });
  assertEquals(await count(mail), 2);
});

Deno.test("a plain folder that is declared one serves files of any content", async () => {
  using mail = new TempMail();
  mail.put("alice", { a: "no header", b: "" });
  Deno.symlinkSync("a", mail.path("alice/.postern-plain"));
  await refused(mail, "a");
  Deno.removeSync(mail.path("alice/.postern-plain"));
  mail.put("alice", { ".postern-plain": "" });
  assertEquals([await count(mail), await count(mail)], [2, 2]);
});

Deno.test("what was found to be mail is not read again, and what came in its place is", async () => {
  using mail = new TempMail();
  mail.put("alice", { note: MESSAGE });
  assertEquals(await count(mail), 1);
  const path = mail.path("alice/note");
  const { mtime, atime } = Deno.statSync(path);
  const other = "X".repeat(MESSAGE.length);
  Deno.writeTextFileSync(path, other);
  Deno.utimeSync(path, atime!, mtime!);
  assertEquals(await count(mail), 1);
  Deno.writeTextFileSync(path, other + "X");
  await refused(mail, "note");
});

Deno.test("what an older version's cache lists is looked into, and not expired before", async () => {
  using mail = new TempMail();
  mail.put("alice", { "1.eml": MESSAGE, "thesis.odt": "years of work", ".postern-plain": "" });
  const running = new TestRunningTime();
  const store = mail.store({ running, expireDays: 1 });
  {
    await using maildrop = await store.acquire("alice");
    for (const message of maildrop.messages) maildrop.retrieved(message);
  }
  Deno.removeSync(mail.path("alice/.postern-plain"));
  forgetMarks(mail.path("alice", CACHE), 2);
  running.advance(2 * 24 * 60 * 60 * 1000);
  assertEquals(await store.expire("alice"), 0);
  await assertRejects(() => store.acquire("alice"), MaildropUnreadableError, "thesis.odt");
  assertEquals(mail.names("alice"), [CACHE, "1.eml", "thesis.odt"]);
  // Without the owner's file, the message's days go on.
  Deno.removeSync(mail.path("alice/thesis.odt"));
  await (await store.acquire("alice"))[Symbol.asyncDispose]();
  assertEquals(await store.expire("alice"), 1);
  assertEquals(mail.names("alice"), [CACHE]);
});
