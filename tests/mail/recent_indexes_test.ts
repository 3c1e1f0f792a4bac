// What a mailbox's cache told is kept in memory between sessions, and never believed when something has changed since.

import { assert, assertEquals } from "@std/assert";
import type { FolderMailStore } from "../../lib/mail/folder/folder_mail_store.ts";
import { CountedListings } from "./counted_listings.ts";
import { TempMail } from "./temp_mail.ts";

const DAY = 24 * 60 * 60 * 1000;

async function sizes(store: FolderMailStore, user = "alice"): Promise<number[]> {
  await using maildrop = await store.acquire(user);
  return maildrop.messages.map(({ size }) => size);
}

/** Thirty, of which the mailbox is polled on each but the last. */
async function daysPass(mail: TempMail, store: FolderMailStore): Promise<void> {
  for (let day = 1; day <= 29; day++) {
    mail.running.advance(DAY);
    assertEquals(await sizes(store), [3, 4], `day ${day}`);
  }
  mail.running.advance(DAY);
}

/** Counts the caches that are opened. */
class CountedCaches implements Disposable {
  readonly #lstat = Deno.lstatSync;
  looks = 0;

  constructor() {
    Deno.lstatSync = (path) => {
      if (String(path).endsWith("/.postern-cache")) this.looks++;
      return this.#lstat.call(Deno, path);
    };
  }

  [Symbol.dispose](): void {
    Deno.lstatSync = this.#lstat;
  }
}

async function polledTwice(mail: TempMail): Promise<FolderMailStore> {
  mail.maildir("alice", { "new/1.a": "1", "cur/2.b:2,S": "22" });
  await mail.aged("alice");
  const store = mail.store({ expireDays: 30 });
  // The first measures and writes the cache, the second reads it.
  for (let poll = 0; poll < 2; poll++) assertEquals(await sizes(store), [3, 4]);
  return store;
}

Deno.test("a mailbox that is polled again is neither listed nor its cache read", async () => {
  using mail = new TempMail();
  const store = await polledTwice(mail);
  using listings = new CountedListings();
  using caches = new CountedCaches();
  assertEquals(await sizes(store), [3, 4]);
  assertEquals(listings.take(), 0);
  assertEquals(caches.looks, 1, "a look for its version, and none to open it");
});

Deno.test("what comes, goes or is edited after a poll is seen by the next one", async () => {
  using mail = new TempMail();
  const store = await polledTwice(mail);
  mail.put("alice", { "new/3.c": "333" });
  assertEquals(await sizes(store), [3, 4, 5]);
  Deno.removeSync(mail.path("alice/new/1.a"));
  assertEquals(await sizes(store), [4, 5]);
  mail.put("alice", { "new/3.c": "33333" });
  assertEquals(await sizes(store), [4, 7]);
  Deno.renameSync(mail.path("alice/new/3.c"), mail.path("alice/cur/3.c:2,S"));
  assertEquals(await sizes(store), [4, 7]);
});

Deno.test("what another server has written into the cache counts", async () => {
  using mail = new TempMail();
  const store = await polledTwice(mail);
  assertEquals(await sizes(store), [3, 4]);
  {
    await using elsewhere = await mail.store({ expireDays: 30 }).acquire("alice");
    elsewhere.retrieved(elsewhere.messages[0]!);
  }
  await daysPass(mail, store);
  assertEquals(await sizes(store), [4]);
});

Deno.test("two sessions at once share nothing that one of them could change", async () => {
  using mail = new TempMail();
  const store = await polledTwice(mail);
  assertEquals(await sizes(store), [3, 4]);
  {
    await using one = await store.acquire("alice");
    await using two = await store.acquire("alice");
    one.retrieved(one.messages[0]!);
    assertEquals(two.messages.map(({ uid }) => uid), one.messages.map(({ uid }) => uid));
  }
  assertEquals(await sizes(store), [3, 4]);
  assert(mail.names("alice", "cur").includes("1.a:2,S"));
  await daysPass(mail, store);
  assertEquals(await sizes(store), [4]);
});

Deno.test("a message that another takes the place of, octets and time alike, is served as it is", async () => {
  using mail = new TempMail();
  const store = await polledTwice(mail);
  assertEquals(await sizes(store), [3, 4]);
  const path = mail.path("alice/new/1.a");
  const { atime, mtime } = Deno.statSync(path);
  Deno.writeTextFileSync(`${path}.other`, "x");
  Deno.utimeSync(`${path}.other`, atime!, mtime!);
  Deno.renameSync(`${path}.other`, path);
  await using maildrop = await store.acquire("alice");
  using message = await maildrop.open(maildrop.messages[0]!);
  const octets = new Uint8Array(8);
  assertEquals(message.readSync(octets), 1);
  assertEquals(String.fromCharCode(octets[0]!), "x");
});
