// `expire` removes a message when its days have passed, and never because a clock, a backup or a state file is not what it was.

import { assert, assertEquals } from "@std/assert";
import { TestRunningTime } from "../support/test_clock.ts";
import { CountedListings } from "./counted_listings.ts";
import { TempMail } from "./temp_mail.ts";

const DAY = 86_400_000;
const CACHE = "alice/.postern-cache";

/** alice has two messages, of which she retrieved one; expire is 30 days. */
async function retrieved(mail: TempMail): Promise<void> {
  mail.maildir("alice", { "cur/1.a:2,S": "1", "cur/2.b:2,S": "2" });
  const store = mail.store({ expireDays: 30 });
  await using maildrop = await store.acquire("alice");
  maildrop.retrieved(maildrop.messages[0]!);
}

/** Lets days pass, with a sweep each, as a server does that runs. */
async function sweep(mail: TempMail, days: number): Promise<number> {
  let removed = 0;
  const store = mail.store({ expireDays: 30 });
  for (let day = 0; day < days; day++) {
    mail.running.advance(DAY);
    removed += await store.expire("alice");
  }
  return removed;
}

Deno.test("a retrieved message is removed when its days have passed, and not before", async () => {
  using mail = new TempMail();
  await retrieved(mail);
  assertEquals(await sweep(mail, 29), 0);
  assertEquals(await sweep(mail, 1), 1);
  assertEquals(mail.names("alice", "cur"), ["2.b:2,S"]);
  assertEquals(mail.warnings, []);
});

Deno.test("days are counted on although nothing but the sweep comes to a mailbox, and a sweep a day writes it twice at most", async () => {
  using mail = new TempMail();
  await retrieved(mail);
  const modified = (): unknown => Deno.lstatSync(mail.path(CACHE)).ino;
  const before = modified();
  const store = mail.store({ expireDays: 30 });
  for (let hour = 0; hour < 12; hour++) {
    mail.running.advance(DAY / 24);
    await store.expire("alice");
  }
  assertEquals(modified(), before, "half a day changes nothing");
  mail.running.advance(DAY / 24);
  await store.expire("alice");
  assert(modified() !== before);
});

Deno.test("a mailbox of which nothing was retrieved is not written by sweeps", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "cur/1.a:2,S": "1" });
  await (await mail.store().acquire("alice"))[Symbol.asyncDispose]();
  const before = Deno.lstatSync(mail.path(CACHE)).ino;
  await sweep(mail, 20);
  assertEquals(Deno.lstatSync(mail.path(CACHE)).ino, before);
});

Deno.test("a restored backup's messages have all their days again", async () => {
  using mail = new TempMail();
  await retrieved(mail);
  await sweep(mail, 20);
  // As `cp -a` does: other files with the same names, octets and times.
  const backup = Deno.readFileSync(mail.path(CACHE));
  const { mtime, atime } = Deno.lstatSync(mail.path(CACHE));
  await sweep(mail, 5);
  Deno.removeSync(mail.path(CACHE));
  Deno.writeFileSync(mail.path(`${CACHE}.restored`), backup);
  Deno.utimeSync(mail.path(`${CACHE}.restored`), atime!, mtime!);
  Deno.renameSync(mail.path(`${CACHE}.restored`), mail.path(CACHE));
  assertEquals(await sweep(mail, 30), 0);
  assertEquals(mail.warnings.length, 1);
  assert(mail.warnings[0]!.message.startsWith("Retrieved messages of a mailbox have all days"));
  assertEquals(await sweep(mail, 1), 1);
});

Deno.test("a file system that was put back to an earlier state gives all days again", async () => {
  using mail = new TempMail();
  await retrieved(mail);
  await sweep(mail, 29);
  // Inode and birth time come back with a snapshot; the running time in the state goes on.
  mail.running.advance(20 * DAY);
  assertEquals(await sweep(mail, 30), 0);
  assertEquals(await sweep(mail, 1), 1);
});

Deno.test("another state file, or an older one, gives all days again", async () => {
  for (const other of [new TestRunningTime("fedcba9876543210"), new TestRunningTime()]) {
    using mail = new TempMail();
    await retrieved(mail);
    await sweep(mail, 29);
    const store = mail.store({ expireDays: 30, running: other });
    assertEquals(await store.expire("alice"), 0);
    for (let day = 0; day < 29; day++) {
      other.advance(DAY);
      assertEquals(await store.expire("alice"), 0);
    }
    other.advance(DAY);
    assertEquals(await store.expire("alice"), 1);
  }
});

Deno.test("a login and a session's end count days on like a sweep", async () => {
  using mail = new TempMail();
  await retrieved(mail);
  const store = mail.store({ expireDays: 30 });
  for (let day = 0; day < 29; day++) {
    mail.running.advance(DAY);
    await using maildrop = await store.acquire("alice");
    assertEquals(maildrop.messages.length, 2, `day ${day}`);
  }
  mail.running.advance(DAY);
  await using maildrop = await store.acquire("alice");
  assertEquals(maildrop.messages.length, 1);
});

Deno.test("another thread that learns the running time a little late changes nothing", async () => {
  using mail = new TempMail();
  await retrieved(mail);
  await sweep(mail, 29);
  const late = new TestRunningTime();
  late.advance(29 * DAY - 60_000);
  await (await mail.store({ expireDays: 30, running: late }).acquire("alice"))
    [Symbol.asyncDispose]();
  assertEquals(await sweep(mail, 1), 1);
});

Deno.test("an old mailbox whose listing was relied on still is, after a sweep has written it", async () => {
  using mail = new TempMail();
  await retrieved(mail);
  await mail.aged("alice");
  using listings = new CountedListings();
  const store = mail.store({ expireDays: 30 });
  const listed: number[] = [];
  for (const way of ["login", "sweep", "login"]) {
    mail.running.advance(DAY);
    if (way === "sweep") await store.expire("alice");
    else await (await store.acquire("alice"))[Symbol.asyncDispose]();
    listed.push(listings.take());
  }
  assertEquals(listed, [2, 0, 0]);
});
