// What a login finds in a mailbox: kinds of files, order, ids, layouts, and what cannot be read.

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { FolderMailStore } from "../../lib/mail/folder/folder_mail_store.ts";
import {
  MaildropUnavailableError,
  MaildropUnreadableError,
} from "../../lib/contracts/mail_store.ts";
import { findMailbox } from "../../lib/mail/folder/mailbox.ts";
import { FIRST, TempMail } from "./temp_mail.ts";

/** Whose files ours are tells who we are, without a permission to ask. */
const IS_ROOT = ((): boolean => {
  using mail = new TempMail();
  return Deno.statSync(mail.root).uid === 0;
})();

async function uids(store: FolderMailStore, user = "alice"): Promise<string[]> {
  await using maildrop = await store.acquire(user);
  return maildrop.messages.map((message) => message.uid);
}

async function sizes(store: FolderMailStore, user = "alice"): Promise<number[]> {
  await using maildrop = await store.acquire(user);
  return maildrop.messages.map((message) => message.size);
}

async function run(command: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(command, { args }).output();
  assert(success, command);
}

Deno.test("a mailbox is made at the first login, for its owner only", async () => {
  using mail = new TempMail();
  assertEquals(await uids(mail.store()), []);
  assertEquals(mail.names("alice"), ["cur", "new", "tmp"]);
  assertEquals(mail.names(".postern-mailboxes"), ["alice"]);
  for (const folder of ["", "/cur", "/new", "/tmp"]) {
    assertEquals(Deno.statSync(mail.path(`alice${folder}`)).mode! & 0o777, 0o700);
  }
  assertEquals(mail.warnings, []);
});

Deno.test("a mail folder that is gone is no empty mailbox", async () => {
  using mail = new TempMail();
  const store = mail.store({ root: mail.path("missing") });
  await assertRejects(() => store.acquire("alice"), Error, "is not there");
  await assertRejects(() => store.create("alice"), Error, "is not there");
});

Deno.test({
  name: "a mailbox that may not be made is no empty one",
  // Nothing is forbidden to root.
  ignore: IS_ROOT,
  async fn(): Promise<void> {
    using mail = new TempMail();
    Deno.chmodSync(mail.root, 0o500);
    await assertRejects(() => mail.store().acquire("alice"), MaildropUnreadableError);
    Deno.chmodSync(mail.root, 0o700);
  },
});

Deno.test("messages are ordered by delivery time, then by name, in every session", async () => {
  using mail = new TempMail();
  mail.maildir("alice", {
    [`cur/${FIRST + 1}.M000002P1.host:2,S`]: "",
    [`new/${FIRST + 1}.M000001P9.host`]: "",
    [`new/${FIRST}.M5P1.b`]: "",
    [`new/${FIRST}.M5P1.a`]: "",
    "new/900.host": "",
    "cur/hello": "",
  });
  const expected = [
    "hello",
    "900.host",
    `${FIRST}.M5P1.a`,
    `${FIRST}.M5P1.b`,
    `${FIRST + 1}.M000001P9.host`,
    `${FIRST + 1}.M000002P1.host`,
  ];
  assertEquals(await uids(mail.store()), expected);
  assertEquals(await uids(mail.store()), expected);
  mail.put("alice", { [`new/${FIRST}.M6P1.late`]: "" });
  expected.splice(4, 0, `${FIRST}.M6P1.late`);
  assertEquals(await uids(mail.store()), expected);
  Deno.removeSync(mail.path("alice", "cur", "hello"));
  assertEquals(await uids(mail.store()), expected.slice(1));
});

Deno.test("only regular files are served, and the log says what is not", async () => {
  using mail = new TempMail();
  Deno.writeTextFileSync(mail.path("secret"), "secret");
  mail.maildir("alice", { "cur/1.ok": "a\r\n", "new/.hidden": "h", "tmp/2.half": "t" });
  Deno.symlinkSync(mail.path("secret"), mail.path("alice/cur/3.link"));
  Deno.symlinkSync(mail.path("nowhere"), mail.path("alice/cur/4.dangling"));
  Deno.symlinkSync("/dev/zero", mail.path("alice/new/5.device"));
  Deno.mkdirSync(mail.path("alice/new/6.folder"));
  await run("mkfifo", mail.path("alice/cur/7.fifo"));
  using _socket = Deno.listen({ transport: "unix", path: mail.path("alice/cur/8.socket") });
  assertEquals(await uids(mail.store()), ["1.ok"]);
  assertEquals(mail.warnings.length, 1);
  assertEquals(
    mail.warnings[0]!.message,
    "6 of a mailbox's files are left out, since they cannot be read.",
  );
});

Deno.test("a plain folder serves its files, but no folders, dot files and password files", async () => {
  using mail = new TempMail();
  mail.put("alice", {
    "1.eml": "a\r\n",
    "b": "To: b",
    ".seen": "",
    "alice.pwd": "secret",
    "X.PWD": "secret",
  });
  Deno.mkdirSync(mail.path("alice/sub"));
  Deno.symlinkSync(mail.path("alice/alice.pwd"), mail.path("alice/link"));
  assertEquals(await sizes(mail.store()), [7, 3]);
  assertEquals(mail.warnings.length, 1);
});

Deno.test("a Maildir is known by one of its folders", async () => {
  using mail = new TempMail();
  Deno.mkdirSync(mail.path("alice/new"), { recursive: true });
  mail.put("alice", { "new/1.a": "x", "stray": "y" });
  assertEquals(await uids(mail.store()), ["1.a"]);
});

Deno.test("a name that is not UTF-8, or holds escapes, harms nobody", async () => {
  using mail = new TempMail();
  mail.maildir("alice", {
    "cur/1.\x1b[2J\n\u202e": "x",
    [`cur/2.${"n".repeat(250)}`]: "y",
    "cur/:2,": "z",
  });
  await run(
    "sh",
    "-c",
    `printf x > "$1/$(printf '3.\\377\\376.host')"`,
    "sh",
    mail.path("alice/cur"),
  );
  await run(
    "sh",
    "-c",
    `printf x > "$1/$(printf '\\357\\277\\275')"`,
    "sh",
    mail.path("alice/cur"),
  );
  for (let session = 0; session < 2; session++) {
    const ids = await uids(mail.store({ flagUpdates: false }));
    assertEquals(ids.length, 4);
    for (const id of ids) assert(/^=[\x21-\x7e]{43}$/.test(id), id);
    const warning = mail.warnings[session]!;
    assertEquals(warning.properties!.files, ["3.��.host: its name is not valid UTF-8"]);
  }
});

Deno.test("files of the same unique part have distinct ids, which never change owners", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "one", "cur/1.a:2,S": "other", "cur/1.b:2,": "b" });
  const [first, second, third] = await uids(mail.store()) as [string, string, string];
  assertEquals(new Set([first, second, third]).size, 3);
  assertEquals(third, "1.b");
  assertEquals(await uids(mail.store()), [first, second, third]);
  Deno.removeSync(mail.path("alice", "new", "1.a"));
  const left = await uids(mail.store());
  assert(left.length === 2 && (left[0] === first || left[0] === second) && left[1] === third);
  Deno.renameSync(mail.path("alice/cur/1.a:2,S"), mail.path("alice/cur/1.a:2,FS"));
  assertEquals(await uids(mail.store()), left);
});

Deno.test("a message keeps its id when a twin appears and when it goes", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "cur/1.a:2,": "first" });
  assertEquals(await uids(mail.store()), ["1.a"]);
  mail.put("alice", { "new/1.a": "a twin" });
  const both = await uids(mail.store());
  assert(both.includes("1.a") && new Set(both).size === 2, both.join());
  const twin = both.find((uid) => uid !== "1.a")!;
  Deno.removeSync(mail.path("alice/cur/1.a:2,"));
  assertEquals(await uids(mail.store()), [twin]);
  mail.put("alice", { "cur/1.a:2,T": "a third" });
  Deno.renameSync(mail.path("alice/new/1.a"), mail.path("alice/cur/1.a:2,R"));
  const again = await uids(mail.store());
  assert(again.includes(twin) && new Set(again).size === 2, again.join());
  Deno.removeSync(mail.path("alice/cur/1.a:2,T"));
  assertEquals(await uids(mail.store()), [twin]);
});

Deno.test("two thousand files of one unique part have two thousand steady ids", async () => {
  using mail = new TempMail();
  const flags = "DFPRST";
  const files: Record<string, string> = {};
  for (let n = 0; n < 2000; n++) {
    files[`cur/1.a:2,${[...n.toString(6)].map((digit) => flags[Number(digit)]).join("")}`] = `${n}`;
  }
  mail.maildir("alice", files);
  const ids = await uids(mail.store());
  assertEquals(new Set(ids).size, 2000);
  assertEquals(await uids(mail.store()), ids);
});

Deno.test("in a plain folder a name that comes again is another message", async () => {
  using mail = new TempMail();
  mail.put("alice", { "mail": "To: one" });
  const times = [1_700_000_000_000, 1_700_000_000_001].map((time) => new Date(time)) as [
    Date,
    Date,
  ];
  Deno.utimeSync(mail.path("alice/mail"), ...[times[0], times[0]] as const);
  const [before] = await uids(mail.store());
  assertEquals(await uids(mail.store()), [before]);
  mail.put("alice", { "mail": "To: two" });
  Deno.utimeSync(mail.path("alice/mail"), times[1], times[1]);
  const [after] = await uids(mail.store());
  assert(before !== after);
});

Deno.test("sizes in names are never believed over the octets", async () => {
  using mail = new TempMail();
  mail.maildir("alice", {
    "cur/1.a,S=4,W=5:2,": "a\nb\n",
    "cur/2.b,S=4,W=6:2,": "a\nb\n",
    "cur/3.c,S=9999999999999999999,W=-1:2,": "a\nb\n",
  });
  assertEquals(await sizes(mail.store()), [6, 6, 6]);
  assertEquals(await sizes(mail.store()), [6, 6, 6]);
});

Deno.test("links, files and other things in place of a mailbox or its folders are refused", async () => {
  using mail = new TempMail();
  mail.maildir("real", { "new/1.a": "x" });
  Deno.symlinkSync(mail.path("real"), mail.path("linked"));
  mail.maildir("half");
  Deno.removeSync(mail.path("half/cur"));
  Deno.symlinkSync(mail.path("real/new"), mail.path("half/cur"));
  Deno.writeTextFileSync(mail.path("mbox"), "From x");
  await run("mkfifo", mail.path("fifo"));
  for (const user of ["linked", "half", "mbox", "fifo"]) {
    await assertRejects(() => mail.store().acquire(user), MaildropUnreadableError);
    await assertRejects(() => mail.store().expire(user), MaildropUnreadableError);
  }
  Deno.symlinkSync(mail.root, mail.path("root"));
  assertEquals(await uids(mail.store({ root: mail.path("root") }), "real"), ["1.a"]);
});

Deno.test({
  name: "a folder or a file that may not be read is told apart from an empty one",
  ignore: IS_ROOT,
  fn: async () => {
    using mail = new TempMail();
    mail.maildir("alice", { "new/1.a": "x", "new/2.b": "y" });
    Deno.chmodSync(mail.path("alice/new/1.a"), 0);
    assertEquals(await uids(mail.store()), ["2.b"]);
    assertEquals(mail.warnings.length, 1);
    Deno.chmodSync(mail.path("alice/new"), 0);
    await assertRejects(() => mail.store().acquire("alice"), MaildropUnreadableError);
    Deno.chmodSync(mail.path("alice/new"), 0o700);
  },
});

Deno.test("max_messages serves the first by number, and the log says how many were not", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/3.c": "ccc", "new/1.a": "a", "cur/2.b:2,S": "bb", "new/4.d": "d" });
  Deno.mkdirSync(mail.path("alice/new/0.folder"));
  const store = mail.store({ maxMessages: 2 });
  assertEquals(await uids(store), ["1.a", "2.b"]);
  const told = mail.warnings.map((warning) => warning.message);
  assert(
    told.includes("2 messages of a mailbox are not served: max_messages is reached."),
    told.join(),
  );
  assertEquals(await sizes(mail.store()), [3, 4, 5, 3]);
});

Deno.test("a login on many messages lets others run, and ends when it is no longer wanted", async () => {
  using mail = new TempMail();
  const files: Record<string, string> = {};
  for (let n = 0; n < 3000; n++) files[`new/${FIRST + n}.M1P1.host`] = `${n}`;
  mail.maildir("alice", files);
  let turns = 0;
  const counting = setInterval(() => turns++, 0);
  await uids(mail.store());
  clearInterval(counting);
  assert(turns > 1);
  Deno.removeSync(mail.path("alice/.postern-cache"));
  const abort = new AbortController();
  const login = mail.store().acquire("alice", abort.signal);
  abort.abort(new Error("the client went away"));
  await assertRejects(() => login, Error, "the client went away");
});

Deno.test("a login that measures for too long keeps what it measured, so that later ones come to the end", async () => {
  using mail = new TempMail();
  const files: Record<string, string> = {};
  for (let n = 0; n < 3000; n++) files[`new/${FIRST + n}.M1P1.host`] = `${n}`;
  mail.maildir("alice", files);
  let tries = 0;
  for (let messages = 0; messages === 0; tries++) {
    try {
      await using maildrop = await mail.store({ measureTimeout: 0 }).acquire("alice");
      messages = maildrop.messages.length;
    } catch (error) {
      if (!(error instanceof MaildropUnavailableError)) throw error;
    }
  }
  assert(tries > 1);
  assertEquals((await uids(mail.store())).length, 3000);
});

Deno.test("who can write in the folders above a mailbox is told once, and nothing of the server's is taken for the owner's", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "one" });
  mail.maildir("example.org/bob", { "new/1.a": "one" });
  const writers = (...place: string[]): unknown => {
    const { writers, shared } = findMailbox(mail.path(...place), {
      root: mail.root,
      account: Deno.uid()!,
    })!;
    return [writers, shared?.slice(mail.root.length)];
  };
  assertEquals(writers("alice"), ["server", undefined]);
  Deno.chmodSync(mail.path("example.org"), 0o2775);
  assertEquals(writers("example.org", "bob"), ["others", "/example.org"]);
  // Where names can be made but those of others not be renamed.
  Deno.chmodSync(mail.root, 0o1777);
  assertEquals(writers("alice"), ["others", undefined]);
  Deno.chmodSync(mail.root, 0o777);
  assertEquals(writers("alice"), ["others", ""]);
  const store = mail.store();
  for (const user of ["alice", "alice", "bob@example.org"]) {
    await using maildrop = await store.acquire(user);
    using message = await maildrop.open(maildrop.messages[0]!);
    assertEquals(message.size, 5);
  }
  assertEquals(mail.warnings.map(({ properties }) => properties?.folder), [mail.root]);
});
