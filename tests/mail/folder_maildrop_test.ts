// An open maildrop while other programs rename, replace, cut and remove its files.

import { readFileSync } from "node:fs";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Yielder } from "../../lib/async/yielder.ts";
import {
  type Maildrop,
  MaildropUnreadableError,
  MessageChangedError,
  MessageGoneError,
  type StoredMessage,
} from "../../lib/contracts/mail_store.ts";
import { ALL_REMOVED, readAll } from "../contracts/mail_store_contract.ts";
import { Folder, MessageIndex } from "../../lib/mail/folder/message_index.ts";
import { NameTable } from "../../lib/mail/listing/name_table.ts";
import { Locator } from "../../lib/mail/folder/locator.ts";
import { openMessageFile } from "../../lib/mail/folder/message_file.ts";
import { MessageMovedError } from "../../lib/contracts/programs.ts";
import { findMailbox, type Mailbox } from "../../lib/mail/folder/mailbox.ts";
import { NameUnlinker } from "../../lib/mail/update/unlinker.ts";
import { removeFiles } from "../../lib/mail/update/remove_files.ts";
import { TempMail } from "./temp_mail.ts";

const text = (octets: Uint8Array): string => new TextDecoder().decode(octets);

function openNumber(maildrop: Maildrop, number: number): Promise<StoredMessage> {
  return maildrop.open(maildrop.messages[number - 1]!);
}

async function readNumber(maildrop: Maildrop, number: number): Promise<string> {
  using stored = await openNumber(maildrop, number);
  return text(readAll(stored));
}

Deno.test("a message is found again under every new name", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "one\r\n", "new/2.b": "two\r\n" });
  await using maildrop = await mail.store().acquire("alice");
  const names = ["new/1.a", "cur/1.a:2,", "cur/1.a:2,S", "cur/1.a:2,FS", "new/1.a"];
  for (let at = 1; at < names.length; at++) {
    Deno.renameSync(mail.path("alice", names[at - 1]!), mail.path("alice", names[at]!));
    assertEquals(await readNumber(maildrop, 1), "one\r\n", names[at]);
  }
  Deno.renameSync(mail.path("alice/new/1.a"), mail.path("alice/cur/1.a:2,T"));
  assertEquals(await maildrop.remove([maildrop.messages[0]!]), ALL_REMOVED);
  assertEquals([mail.names("alice", "cur"), mail.names("alice", "new")], [[], ["2.b"]]);
});

Deno.test("a message of a Maildir without cur is found where another program moves it, and marked seen", async () => {
  using mail = new TempMail();
  Deno.mkdirSync(mail.path("alice/new"), { recursive: true });
  Deno.chmodSync(mail.path("alice/new"), 0o2770);
  mail.put("alice", { "new/1.a": "one\r\n", "new/2.b": "two\r\n" });
  {
    await using maildrop = await mail.store().acquire("alice");
    for (const folder of ["cur", "tmp"]) {
      const { mode, uid, gid } = Deno.lstatSync(mail.path("alice", folder));
      const like = Deno.lstatSync(mail.path("alice/new"));
      assertEquals([mode, uid, gid], [like.mode, like.uid, like.gid]);
    }
    Deno.renameSync(mail.path("alice/new/1.a"), mail.path("alice/cur/1.a:2,"));
    assertEquals(await readNumber(maildrop, 1), "one\r\n");
    assertEquals(await maildrop.remove([maildrop.messages[0]!]), ALL_REMOVED);
    maildrop.retrieved(maildrop.messages[1]!);
  }
  assertEquals([mail.names("alice", "new"), mail.names("alice", "cur")], [[], ["2.b:2,S"]]);
  assertEquals(mail.warnings, []);
});

Deno.test("a message that is gone is never taken for its twin", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "one", "cur/1.a:2,S": "two" });
  await using maildrop = await mail.store().acquire("alice");
  const one = maildrop.messages.findIndex((message) => message.size === 5);
  Deno.linkSync(mail.path("alice/new/1.a"), mail.path("kept"));
  Deno.removeSync(mail.path("alice/new/1.a"));
  const open = [0, 1].map(async (index) => {
    using stored = await maildrop.open(maildrop.messages[index]!);
    return text(readAll(stored));
  });
  const results = await Promise.allSettled(open);
  assertEquals(results.map((result) => result.status).sort(), ["fulfilled", "rejected"]);
  const lost = results.findIndex((result) => result.status === "rejected");
  assert(one >= 0);
  assertEquals(await maildrop.remove([maildrop.messages[lost]!]), ALL_REMOVED);
  assertEquals(mail.names("alice", "cur"), ["1.a:2,S"]);
});

Deno.test("a message that grew is sent as it was measured, one that was cut ends in an error", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "cur/1.a:2,": "x".repeat(1000) });
  const path = mail.path("alice/cur/1.a:2,");
  await using maildrop = await mail.store().acquire("alice");
  {
    using stored = await openNumber(maildrop, 1);
    Deno.writeTextFileSync(path, "more", { append: true });
    assertEquals(readAll(stored).length, 1000);
  }
  using again = await openNumber(maildrop, 1);
  assertEquals([again.size, again.storedSize, readAll(again).length], [1006, 1004, 1004]);
  using cut = await openNumber(maildrop, 1);
  Deno.truncateSync(path, 100);
  const into = new Uint8Array(4096);
  assertEquals(cut.readSync(into), 100);
  assertThrows(() => cut.readSync(into), MessageChangedError, "904 octets before its 1004");
});

Deno.test("another thread opens the message that was opened, and nothing else that has its name", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "one\r\n", "new/2.b": "two\r\n" });
  Deno.writeTextFileSync(mail.path("secret"), "secret");
  await using maildrop = await mail.store().acquire("alice");
  using stored = await openNumber(maildrop, 1);
  const path = mail.path("alice/new/1.a");
  const file = stored.file!;
  assertEquals([file.path, file.size], [path, 5]);
  {
    using opened = openMessageFile(file);
    assertEquals(readFileSync(opened.number, "utf8"), "one\r\n");
    opened.checkWhole();
    Deno.writeTextFileSync(path, "more", { append: true });
    assertThrows(() => opened.checkWhole(), MessageChangedError, "9 octets and no longer its 5");
  }
  Deno.renameSync(mail.path("alice/new/2.b"), path);
  assertThrows(() => openMessageFile(file), MessageMovedError, "another file");
  Deno.removeSync(path);
  assertThrows(() => openMessageFile(file), MessageMovedError, "no file");
  Deno.symlinkSync(mail.path("secret"), path);
  assertThrows(() => openMessageFile(file), MessageMovedError);
  Deno.removeSync(path);
  await new Deno.Command("mkfifo", { args: [path] }).output();
  assertThrows(() => openMessageFile(file), MessageMovedError);
  // The session itself reads what it has opened.
  assertEquals(text(readAll(stored)), "one\r\n");
});

Deno.test("an open message outlives its file", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "cur/1.a:2,": "kept" });
  await using maildrop = await mail.store().acquire("alice");
  using stored = await openNumber(maildrop, 1);
  Deno.removeSync(mail.path("alice/cur/1.a:2,"));
  assertEquals(text(readAll(stored)), "kept");
  await assertRejects(() => openNumber(maildrop, 1), MessageGoneError);
});

Deno.test("links, FIFOs and folders that take a message's place are not opened", async () => {
  using mail = new TempMail();
  Deno.writeTextFileSync(mail.path("secret"), "secret");
  mail.maildir("alice", { "cur/1.a:2,": "1", "cur/2.b:2,": "2", "cur/3.c:2,": "3" });
  await using maildrop = await mail.store().acquire("alice");
  for (const name of ["1.a:2,", "2.b:2,", "3.c:2,"]) Deno.removeSync(mail.path("alice/cur", name));
  Deno.symlinkSync(mail.path("secret"), mail.path("alice/cur/1.a:2,"));
  await new Deno.Command("mkfifo", { args: [mail.path("alice/cur/2.b:2,")] }).output();
  Deno.mkdirSync(mail.path("alice/cur/3.c:2,"));
  for (const number of [1, 2, 3]) {
    await assertRejects(() => openNumber(maildrop, number), Error, "no regular file");
  }
});

Deno.test("a folder that became a link during the session leads nowhere", async () => {
  using mail = new TempMail();
  mail.maildir("bob", { "cur/1.a:2,": "bob's" });
  mail.maildir("alice", { "cur/1.a:2,": "alice's" });
  await using maildrop = await mail.store().acquire("alice");
  Deno.renameSync(mail.path("alice/cur"), mail.path("alice/moved"));
  Deno.symlinkSync(mail.path("bob/cur"), mail.path("alice/cur"));
  await assertRejects(() => openNumber(maildrop, 1), MaildropUnreadableError);
  assertEquals((await maildrop.remove(maildrop.messages)).stayed, maildrop.messages);
  maildrop.retrieved(maildrop.messages[0]!);
  await maildrop[Symbol.asyncDispose]();
  assertEquals(mail.names("bob", "cur"), ["1.a:2,"]);
});

Deno.test("in a plain folder a newcomer under an old name is neither sent nor removed", async () => {
  using mail = new TempMail();
  mail.put("alice", { "a.eml": "old", "b.eml": "kept" });
  await using maildrop = await mail.store().acquire("alice");
  Deno.removeSync(mail.path("alice/a.eml"));
  mail.put("alice", { "a.eml": "newcomer" });
  await assertRejects(() => openNumber(maildrop, 1), MessageGoneError);
  assertEquals(await maildrop.remove([maildrop.messages[0]!]), ALL_REMOVED);
  assertEquals(Deno.readTextFileSync(mail.path("alice/a.eml")), "newcomer");
  assertEquals(await readNumber(maildrop, 2), "kept");
});

Deno.test("what cannot be removed is told, and the rest is gone", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "1", "new/2.b": "2", "cur/3.c:2,": "3" });
  await using maildrop = await mail.store().acquire("alice");
  Deno.removeSync(mail.path("alice/new/2.b"));
  Deno.mkdirSync(mail.path("alice/new/2.b"));
  assertEquals(await maildrop.remove(maildrop.messages), {
    stayed: [maildrop.messages[1]!],
    unsynced: [],
    reasons: ["it is no regular file any more"],
  });
  assertEquals([mail.names("alice", "new"), mail.names("alice", "cur")], [["2.b"], []]);
});

Deno.test("a mailbox that cannot be listed again at QUIT keeps no other message", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "1", "new/2.b": "2" });
  await using maildrop = await mail.store().acquire("alice");
  Deno.renameSync(mail.path("alice/new/1.a"), mail.path("alice/tmp/1.a"));
  Deno.removeSync(mail.path("alice/cur"));
  mail.put("alice", { cur: "no folder" });
  const { stayed, reasons } = await maildrop.remove(maildrop.messages);
  assertEquals([stayed, reasons.length], [[maildrop.messages[0]!], 1]);
  assertEquals(mail.names("alice", "new"), []);
});

/** Another program gives a file the next name right after each listing. */
class RacingLocator extends Locator {
  readonly #paths: string[];

  constructor(mailbox: Mailbox, messageIndex: MessageIndex, paths: string[]) {
    super(mailbox, messageIndex, new Yielder());
    this.#paths = paths;
  }

  override async list(): Promise<boolean> {
    const isNew = await super.list();
    const [from, to] = this.#paths;
    if (isNew && from !== undefined && to !== undefined) {
      Deno.renameSync(from, to);
      this.#paths.shift();
    }
    return isNew;
  }
}

/** An index of one message in `cur` that has one octet. */
function ofOneOctet(name: string): MessageIndex {
  const messageIndex = new MessageIndex(NameTable.of([name]), Uint8Array.of(Folder.CUR));
  messageIndex.storedSize[0] = 1;
  return messageIndex;
}

Deno.test("a message that is renamed again while it is removed is gone, or told to have stayed", async () => {
  using mail = new TempMail();
  for (const [flags, stays] of [["FT", false], ["DFPRSTabcdefg", true]] as const) {
    mail.maildir("alice", { "cur/1.a:2,": "1" });
    const mailbox = findMailbox(mail.path("alice"), { root: mail.root, account: Deno.uid()! })!;
    const messageIndex = ofOneOctet("1.a:2,");
    const paths = ["", ...flags].map((flag) => mail.path(`alice/cur/1.a:2,${flag}`));
    Deno.renameSync(paths[0]!, paths[1]!);
    const locator = new RacingLocator(mailbox, messageIndex, paths.slice(1));
    const task = new Yielder();
    const unlinker = new NameUnlinker({ mailbox, messageIndex, locator, task });
    const { removed, reasons } = await removeFiles(unlinker, messageIndex, [0], locator, task);
    assertEquals([removed.has(0), mail.names("alice", "cur").length], [!stays, stays ? 1 : 0]);
    assertEquals([...reasons], stays ? ["other programs keep renaming messages"] : []);
  }
});

/** The first listing was made while a folder changed, and lacks what was renamed. */
class LackingLocator extends Locator {
  #listings = 0;

  override list(): Promise<boolean> {
    this.#listings++;
    return super.list();
  }

  override findListed(row: number): boolean {
    return this.#listings > 1 && super.findListed(row);
  }

  override get isWhole(): boolean {
    return this.#listings > 1;
  }
}

Deno.test("a message that a listing lacks while its folder changes does not count as gone", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "cur/1.a:2,S": "1" });
  const mailbox = findMailbox(mail.path("alice"), { root: mail.root, account: Deno.uid()! })!;
  const messageIndex = ofOneOctet("1.a:2,");
  const locator = new LackingLocator(mailbox, messageIndex, new Yielder());
  const task = new Yielder();
  const unlinker = new NameUnlinker({ mailbox, messageIndex, locator, task });
  const { removed, unlinked } = await removeFiles(unlinker, messageIndex, [0], locator, task);
  assertEquals([removed.has(0), unlinked, mail.names("alice", "cur")], [true, 1, []]);
});

Deno.test("retrieved messages are marked seen, others are left alone", async () => {
  using mail = new TempMail();
  mail.maildir("alice", {
    "new/1.a": "1",
    "new/2.b": "2",
    "cur/3.c:2,FT": "3",
    "cur/4.d:2,S": "4",
    "cur/5.e": "5",
    "cur/6.f:2,": "6",
  });
  const before = await mail.store().acquire("alice");
  for (const number of [1, 3, 4, 5]) before.retrieved(before.messages[number - 1]!);
  const ids = before.messages.map((message) => message.uid);
  await before[Symbol.asyncDispose]();
  await before[Symbol.asyncDispose]();
  assertEquals(mail.names("alice", "new"), ["2.b"]);
  assertEquals(mail.names("alice", "cur"), [
    "1.a:2,S",
    "3.c:2,FST",
    "4.d:2,S",
    "5.e:2,S",
    "6.f:2,",
  ]);
  await using after = await mail.store().acquire("alice");
  assertEquals(after.messages.map((message) => message.uid), ids);
});

Deno.test("a retrieved message that another program renamed is marked seen under its new name", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "1" });
  const maildrop = await mail.store().acquire("alice");
  maildrop.retrieved(maildrop.messages[0]!);
  Deno.renameSync(mail.path("alice/new/1.a"), mail.path("alice/cur/1.a:2,T"));
  await maildrop[Symbol.asyncDispose]();
  assertEquals(mail.names("alice", "cur"), ["1.a:2,ST"]);
});

Deno.test("marking seen never puts a message in another's place", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "one", "cur/1.a:2,S": "other" });
  const maildrop = await mail.store().acquire("alice");
  for (const message of maildrop.messages) maildrop.retrieved(message);
  await maildrop[Symbol.asyncDispose]();
  assertEquals(Deno.readTextFileSync(mail.path("alice/new/1.a")), "one");
  assertEquals(Deno.readTextFileSync(mail.path("alice/cur/1.a:2,S")), "other");
});

Deno.test("without flag updates, and in plain folders, no name changes", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "1", "cur/2.b:2,": "2" });
  mail.put("bob", { "1.eml": "1" });
  for (const [user, flagUpdates] of [["alice", false], ["bob", true]] as const) {
    await using maildrop = await mail.store({ flagUpdates }).acquire(user);
    for (const message of maildrop.messages) maildrop.retrieved(message);
  }
  assertEquals([mail.names("alice", "new"), mail.names("alice", "cur")], [["1.a"], ["2.b:2,"]]);
  assertEquals(mail.names("bob"), [".postern-cache", "1.eml"]);
});

Deno.test("a message that cannot be marked seen costs a warning, no more", async () => {
  using mail = new TempMail();
  const name = `1.${"n".repeat(252)}`;
  mail.maildir("alice", { [`new/${name}`]: "1" });
  const maildrop = await mail.store().acquire("alice");
  maildrop.retrieved(maildrop.messages[0]!);
  await maildrop[Symbol.asyncDispose]();
  assertEquals(mail.names("alice", "new"), [name]);
  assertEquals(mail.warnings.length, 1);
});

Deno.test("a message whose name has no room for a flag keeps no other from being marked seen", async () => {
  using mail = new TempMail();
  const long = `1.${"n".repeat(250)}`;
  mail.maildir("alice", { [`new/${long}`]: "1", "new/2.b": "2" });
  const maildrop = await mail.store().acquire("alice");
  for (const message of maildrop.messages) maildrop.retrieved(message);
  await maildrop[Symbol.asyncDispose]();
  assertEquals([mail.names("alice", "new"), mail.names("alice", "cur")], [[long], ["2.b:2,S"]]);
  assertEquals(mail.warnings.length, 1);
  assertEquals(
    mail.warnings[0]!.message,
    "1 retrieved messages of a mailbox could not be marked seen.",
  );
});

Deno.test("a maildrop takes no message of another", async () => {
  using mail = new TempMail();
  mail.maildir("alice");
  await using maildrop = await mail.store().acquire("alice");
  await assertRejects(() => maildrop.open({ uid: "1.a", size: 1 }), TypeError);
});
