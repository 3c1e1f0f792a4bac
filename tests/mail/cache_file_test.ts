// The cache dot file: mail is read once, and nothing that lies in the cache's place does harm.

import { assert, assertEquals } from "@std/assert";
import { Yielder } from "../../lib/async/yielder.ts";
import { NameTable } from "../../lib/mail/listing/name_table.ts";
import { encodeCache } from "../../lib/mail/folder/cache_format.ts";
import { Folder, MessageIndex } from "../../lib/mail/folder/message_index.ts";
import type { FolderMailStore } from "../../lib/mail/folder/folder_mail_store.ts";
import { type FolderStamp, stampOf } from "../../lib/mail/folder/folder_stamp.ts";
import { ALL_REMOVED, concat, readAll } from "../contracts/mail_store_contract.ts";
import { TestRunningTime } from "../support/test_clock.ts";
import { turns } from "../support/waiting.ts";
import { CountedListings } from "./counted_listings.ts";
import { FIRST, TempMail } from "./temp_mail.ts";

const CACHE = ".postern-cache";

async function sizes(store: FolderMailStore, user = "alice"): Promise<number[]> {
  await using maildrop = await store.acquire(user);
  return maildrop.messages.map((message) => message.size);
}

const ORIGIN = { runningId: "0123456789abcdef", running: 1, inode: 2, born: 3 };

/** Changes a file's octets so that only who reads them can know. */
function changeUnseen(path: string, octets: string): void {
  const { mtime, atime } = Deno.statSync(path);
  Deno.writeTextFileSync(path, octets);
  Deno.utimeSync(path, atime!, mtime!);
}

Deno.test("the second login reads no mail", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "a\nb\n" });
  mail.put("bob", { "1.eml": "a\nb\n" });
  assertEquals([await sizes(mail.store()), await sizes(mail.store(), "bob")], [[6], [6]]);
  changeUnseen(mail.path("alice/new/1.a"), "abc\n");
  changeUnseen(mail.path("bob/1.eml"), "abc\n");
  assertEquals([await sizes(mail.store()), await sizes(mail.store(), "bob")], [[6], [6]]);
  Deno.removeSync(mail.path("alice", CACHE));
  assertEquals(await sizes(mail.store()), [5]);
});

Deno.test("a message that was edited in place is counted anew", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "a\n" });
  assertEquals(await sizes(mail.store()), [3]);
  mail.settle("alice");
  assertEquals(await sizes(mail.store()), [3]);
  Deno.writeTextFileSync(mail.path("alice/new/1.a"), "a\nb\n");
  assertEquals(await sizes(mail.store()), [6]);
});

Deno.test("in a big mailbox an edited message is counted anew when it is opened", async () => {
  using mail = new TempMail();
  const files: Record<string, string> = {};
  for (let n = 0; n < 4100; n++) files[`cur/${FIRST + n}.M1P1.host:2,S`] = "a\n";
  mail.maildir("alice", files);
  mail.settle("alice");
  assertEquals((await sizes(mail.store())).length, 4100);
  Deno.writeTextFileSync(mail.path(`alice/cur/${FIRST}.M1P1.host:2,S`), "a\nb\n");
  {
    await using maildrop = await mail.store().acquire("alice");
    using stored = await maildrop.open(maildrop.messages[0]!);
    assertEquals([stored.size, stored.storedSize, readAll(stored).length], [6, 4, 4]);
  }
  assertEquals((await sizes(mail.store()))[0], 6);
});

Deno.test("an empty mailbox is not listed again while it looks the same, and what comes is seen", async () => {
  using mail = new TempMail();
  using listings = new CountedListings();
  mail.maildir("alice");
  await mail.aged("alice");
  const store = mail.store();
  assertEquals([await sizes(store), listings.take()], [[], 2]);
  assertEquals([await sizes(store), listings.take()], [[], 0]);
  const { mtime } = Deno.statSync(mail.path("alice/new"));
  mail.put("alice", { "new/1.a": "1" });
  Deno.utimeSync(mail.path("alice/new"), mtime!, mtime!);
  assertEquals([await sizes(store), listings.take()], [[3], 1]);
  // Emptied and filled again within the same second, which is all that the runtime tells.
  Deno.removeSync(mail.path("alice/new/1.a"));
  assertEquals(await sizes(store), []);
  mail.put("alice", { "new/2.b": "22" });
  Deno.utimeSync(mail.path("alice/new"), mtime!, mtime!);
  assertEquals(await sizes(store), [4]);
});

Deno.test("an old folder's listing is relied on, and each change of it is seen, its time set back or not", async () => {
  using mail = new TempMail();
  using listings = new CountedListings();
  mail.maildir("alice", { "new/1.a": "1", "cur/2.b:2,S": "22" });
  await mail.aged("alice");
  assertEquals([await sizes(mail.store()), listings.take()], [[3, 4], 2]);
  assertEquals([await sizes(mail.store()), listings.take()], [[3, 4], 0]);
  const { mtime } = Deno.statSync(mail.path("alice/new"));
  mail.put("alice", { "new/3.c": "333" });
  Deno.utimeSync(mail.path("alice/new"), mtime!, mtime!);
  assertEquals([await sizes(mail.store()), listings.take()], [[3, 4, 5], 2]);
  // Within the same second, which is all that the runtime tells.
  mail.put("alice", { "new/4.d": "4444" });
  Deno.utimeSync(mail.path("alice/new"), mtime!, mtime!);
  assertEquals([await sizes(mail.store()), listings.take()], [[3, 4, 5, 6], 2]);
  await mail.aged("alice");
  assertEquals([await sizes(mail.store()), listings.take()], [[3, 4, 5, 6], 2]);
  Deno.renameSync(mail.path("alice/new/1.a"), mail.path("alice/cur/1.a:2,S"));
  mail.settle("alice");
  assertEquals([await sizes(mail.store()), listings.take()], [[3, 4, 5, 6], 2]);
});

Deno.test("a folder that was listed in the moment of its change is listed again", async () => {
  using mail = new TempMail();
  mail.maildir("alice");
  for (let n = 0; n < 20; n++) {
    mail.put("alice", { [`new/${n}.a`]: "x" });
    assertEquals((await sizes(mail.store())).length, n + 1);
  }
});

Deno.test("a damaged, cut or foreign cache is made anew", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "a\n", "new/2.b": "b\n\n" });
  const expected = [3, 5];
  assertEquals(await sizes(mail.store()), expected);
  const good = Deno.readFileSync(mail.path("alice", CACHE));
  const flipped = good.slice();
  flipped[140]! ^= 1;
  const bad = [
    new Uint8Array(),
    good.subarray(0, 100),
    good.subarray(0, good.length - 1),
    flipped,
    new Uint8Array(4096).fill(0xff),
    new TextEncoder().encode("not a cache\n"),
  ];
  for (const octets of bad) {
    Deno.writeFileSync(mail.path("alice", CACHE), octets);
    assertEquals(await sizes(mail.store()), expected);
    assertEquals(Deno.readFileSync(mail.path("alice", CACHE)).length, good.length);
  }
  assertEquals(mail.warnings, []);
});

Deno.test("a cache with a true checksum and hostile rows leads nowhere", async () => {
  using mail = new TempMail();
  Deno.writeTextFileSync(mail.path("secret"), "secret");
  mail.maildir("alice", { "new/1.a": "a\n" });
  const rows: [string, Folder][] = [
    ["../../secret", Folder.NEW],
    ["1.a", Folder.PLAIN],
    ["9.nowhere", Folder.CUR],
  ];
  for (const [name, folder] of rows) {
    const messageIndex = new MessageIndex(NameTable.of([name]), Uint8Array.of(folder));
    messageIndex.size[0] = messageIndex.storedSize[0] = 6;
    const stamp = (which: string): FolderStamp => stampOf(Deno.statSync(mail.path("alice", which)));
    const stamps = { new: stamp("new"), cur: stamp("cur") };
    const parts = await encodeCache({ messageIndex, stamps, origin: ORIGIN }, new Yielder());
    Deno.writeFileSync(mail.path("alice", CACHE), concat(parts));
    assertEquals(await sizes(mail.store()), [3], name);
  }
});

Deno.test("a link, a FIFO or a huge file in the cache's place is not read, and not written through", async () => {
  using mail = new TempMail();
  Deno.writeTextFileSync(mail.path("victim"), "untouched");
  mail.maildir("alice", { "new/1.a": "a\n" });
  const put = [
    () => Promise.resolve(Deno.symlinkSync(mail.path("victim"), mail.path("alice", CACHE))),
    () =>
      Promise.resolve(Deno.symlinkSync(mail.path("victim"), mail.path("alice", `${CACHE}.new`))),
    () => new Deno.Command("mkfifo", { args: [mail.path("alice", CACHE)] }).output(),
    () => Deno.truncate(mail.path("alice", CACHE), 300 * 1024 * 1024),
  ];
  for (const each of put) {
    try {
      Deno.removeSync(mail.path("alice", CACHE));
    } catch (error) {
      assert(error instanceof Deno.errors.NotFound);
    }
    if (each === put.at(-1)) Deno.writeTextFileSync(mail.path("alice", CACHE), "");
    await each();
    assertEquals(await sizes(mail.store()), [3]);
    const { isFile, size } = Deno.lstatSync(mail.path("alice", CACHE));
    assert(isFile && size < 1000);
  }
  assertEquals(Deno.readTextFileSync(mail.path("victim")), "untouched");
  assertEquals(mail.names("alice"), [CACHE, "cur", "new", "tmp"]);
});

Deno.test("a mailbox that cannot keep a cache goes without, with one warning", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "a\n" });
  Deno.mkdirSync(mail.path("alice", CACHE));
  const store = mail.store();
  for (let session = 0; session < 3; session++) assertEquals(await sizes(store), [3]);
  assertEquals(mail.warnings.length, 1);
  assert(mail.warnings[0]!.message.startsWith("A mailbox cannot be written"));
  assertEquals(mail.names("alice"), [CACHE, "cur", "new", "tmp"]);
});

Deno.test("what a dead process left of a cache is cleared away, what a living one writes is left", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "a\n" });
  const unfinished = mail.path("alice", `${CACHE}.new`);
  Deno.writeTextFileSync(unfinished, "half");
  assertEquals(await sizes(mail.store()), [3]);
  assertEquals(Deno.readTextFileSync(unfinished), "half");
  const old = new Date(Date.now() - 3_600_000);
  Deno.utimeSync(unfinished, old, old);
  assertEquals(await sizes(mail.store()), [3]);
  assertEquals(mail.names("alice"), [CACHE, "cur", "new", "tmp"]);
});

Deno.test("a poll of an unchanged mailbox writes nothing", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "a\n", "cur/2.b:2,S": "b\n" });
  mail.settle("alice");
  await sizes(mail.store());
  const before = Deno.statSync(mail.path("alice", CACHE));
  for (let poll = 0; poll < 3; poll++) await sizes(mail.store());
  const after = Deno.statSync(mail.path("alice", CACHE));
  assertEquals([after.ino, after.mtime], [before.ino, before.mtime]);
});

Deno.test("two sessions of one user lose none of each other's retrievals", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "cur/1.a:2,S": "1", "cur/2.b:2,S": "2" });
  const running = new TestRunningTime();
  const store = mail.store({ expireDays: 1, running });
  await sizes(store);
  const first = await store.acquire("alice");
  const second = await store.acquire("alice");
  first.retrieved(first.messages[0]!);
  second.retrieved(second.messages[1]!);
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  running.advance(24 * 60 * 60 * 1000);
  assertEquals(await store.expire("alice"), 2);
  assertEquals(mail.names("alice", "cur"), []);
});

Deno.test("a retrieval is not handed to a message's twin, or to another message that took its name", async () => {
  using mail = new TempMail();
  mail.maildir("twins", { "new/1.a": "one", "cur/1.a:2,": "other", "cur/2.b:2,": "2" });
  mail.put("plain", { "1.eml": "old", "2.eml": "2" });
  const running = new TestRunningTime();
  const store = mail.store({ expireDays: 1, flagUpdates: false, running });
  for (const user of ["twins", "plain"]) {
    const first = await store.acquire(user);
    if (user === "plain") mail.put("plain", { "1.eml": "newer" });
    const second = await store.acquire(user);
    first.retrieved(first.messages[0]!);
    await first[Symbol.asyncDispose]();
    second.retrieved(second.messages.at(-1)!);
    await second[Symbol.asyncDispose]();
  }
  running.advance(24 * 60 * 60 * 1000);
  assertEquals([await store.expire("twins"), await store.expire("plain")], [2, 1]);
  assertEquals([...mail.names("twins/new"), ...mail.names("twins/cur")].length, 1);
  assertEquals(mail.names("plain").at(-1), "1.eml");
});

Deno.test("names that are not UTF-8 and read the same keep no mailbox from its cache", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "cur/1.a:2,S": "1" });
  const names = ["3.\\377", "3.\\376", "3.\\357\\277\\275"];
  for (const name of names) {
    const path = `${mail.path("alice/cur")}/`;
    const command = `printf ${name.length > 6 ? "true" : "x"} > "$1$(printf '${name}')"`;
    await new Deno.Command("sh", { args: ["-c", command, "sh", path] }).output();
  }
  const running = new TestRunningTime();
  const store = mail.store({ expireDays: 1, running, flagUpdates: false });
  {
    await using maildrop = await store.acquire("alice");
    assertEquals(maildrop.messages.map((message) => message.size), [3, 6]);
    assertEquals(mail.warnings[0]!.properties!.files, [
      "3.\ufffd: its name is not valid UTF-8",
      "3.\ufffd: its name is not valid UTF-8",
    ]);
    maildrop.retrieved(maildrop.messages[0]!);
  }
  running.advance(24 * 60 * 60 * 1000);
  assertEquals(await store.expire("alice"), 1);
  await using maildrop = await store.acquire("alice");
  assertEquals(await maildrop.remove(maildrop.messages), ALL_REMOVED);
  assertEquals(mail.names("alice", "cur").length, 2);
});

Deno.test("a retrieval is noted although another session writes its cache at that moment", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "cur/1.a:2,S": "1", "cur/2.b:2,S": "2" });
  const running = new TestRunningTime();
  const store = mail.store({ expireDays: 1, running });
  await sizes(store);
  const maildrop = await store.acquire("alice");
  maildrop.retrieved(maildrop.messages[0]!);
  mail.put("alice", { ".postern-cache.new": "half" });
  const end = maildrop[Symbol.asyncDispose]();
  // Fewer turns than it tries: it has met the other's file by then, and has not given up.
  await turns(5);
  Deno.removeSync(mail.path("alice/.postern-cache.new"));
  await end;
  running.advance(24 * 60 * 60 * 1000);
  assertEquals(await store.expire("alice"), 1);
});
