// The helper for held folders: every name that a file can have, nothing replaced, and no request that reaches beyond the mailbox.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type HeldFolders, HelperError, NoHelperError } from "../../lib/contracts/held_folders.ts";
import { MaildropUnreadableError } from "../../lib/contracts/mail_store.ts";
import { Semaphore } from "../../lib/async/semaphore.ts";
import { type HeldFile, HeldMailbox } from "../../lib/mail/held/held_mailbox.ts";
import { LocalHeldFolders } from "../../lib/mail/held/local_held_folders.ts";
import { lookAtName } from "../../lib/mail/folder/file_look.ts";
import { findMailbox, type Mailbox } from "../../lib/mail/folder/mailbox.ts";
import { Folder } from "../../lib/mail/folder/message_index.ts";
import { heldFoldersOf } from "../support/held_folders.ts";
import { TempMail } from "./temp_mail.ts";

/** Names that programs stumble over. */
const AWKWARD = [
  "-rf",
  "--",
  "a b\tc",
  "line\nline",
  "'\"`$(touch x)`;|&<>*?[a]\\",
  "ümlaut-日本語-😀",
  "%s%n%00",
  "n".repeat(255),
  "123",
  "0",
  ":2,S",
];

function mailboxOf(mail: TempMail): Mailbox {
  return findMailbox(mail.path("alice"), { root: mail.root, account: Deno.uid()! })!;
}

function fileOf(mail: TempMail, name: string, folder: Folder = Folder.NEW): HeldFile {
  const path = mail.path("alice", folder === Folder.NEW ? "new" : "cur", name);
  return { folder, name, look: lookAtName(path) };
}

Deno.test("files of any name are removed and renamed in held folders", async () => {
  using mail = new TempMail();
  mail.maildir("alice", Object.fromEntries(AWKWARD.map((name) => [`new/${name}`, name])));
  const held = new HeldMailbox(mailboxOf(mail), heldFoldersOf(mail.root));
  assertEquals((await held.list()).size, AWKWARD.length);
  const moves = AWKWARD.map((name) => ({
    ...fileOf(mail, name),
    to: { folder: Folder.CUR, name: name.slice(0, 240) + "S" },
  }));
  assertEquals((await held.rename(moves)).map(({ kind }) => kind), AWKWARD.map(() => "done"));
  assertEquals(mail.names("alice", "new"), []);
  const files = moves.map(({ to }) => fileOf(mail, to.name, Folder.CUR));
  const { answers, unsynced } = await held.unlink(files);
  assertEquals(answers.map(({ kind }) => kind), AWKWARD.map(() => "done"));
  assertEquals([unsynced.size, mail.names("alice", "cur")], [0, []]);
});

Deno.test("names that are no UTF-8 are removed by their octets", async () => {
  using mail = new TempMail();
  mail.maildir("alice");
  const name = Uint8Array.of(0x31, 0xff, 0xfe, 0x0a);
  const made = await new Deno.Command("perl", {
    args: ["-e", 'open my $f, ">", "1\\xff\\xfe\\n" or die; print $f "x"'],
    cwd: mail.path("alice/new"),
  }).output();
  assert(made.success);
  const { self, folders } = mailboxOf(mail);
  const stamp = folders.get(Folder.NEW)!.stamp;
  const head = ["unlink", "alice", self.stamp.device, self.stamp.inode, 1];
  head.push("new", stamp.device, stamp.inode, 0);
  const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
  const request = new Uint8Array([
    ...octets(`${head.join("\0")}\0`),
    ...name,
    ...octets(["", 0, 1, 0, ""].join("\0")),
  ]);
  const answer = await heldFoldersOf(mail.root).run(request);
  assertEquals(new TextDecoder().decode(answer), "held\ndone\nsynced 0 0\n");
  assertEquals(mail.names("alice", "new"), []);
});

Deno.test("what looks other than it was told to is left alone, and no file is replaced", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "one", "new/2.b": "two", "cur/2.b:2,S": "other" });
  const held = new HeldMailbox(mailboxOf(mail), heldFoldersOf(mail.root));
  const [one, two] = [fileOf(mail, "1.a"), fileOf(mail, "2.b")];
  for (
    const look of [
      { ...one.look, inode: one.look.inode + 1 },
      { ...one.look, size: 4 },
      { ...one.look, modified: one.look.modified + 1 },
    ]
  ) {
    const { answers: [answer] } = await held.unlink([{ ...one, look }]);
    assertEquals(answer, { kind: "other", look: lookAtName(mail.path("alice/new/1.a")) });
  }
  const [taken] = await held.rename([{ ...two, to: { folder: Folder.CUR, name: "2.b:2,S" } }]);
  assertEquals(taken, { kind: "taken" });
  Deno.removeSync(mail.path("alice/new/1.a"));
  Deno.symlinkSync("2.b", mail.path("alice/new/1.a"));
  const { answers: [link] } = await held.unlink([one]);
  assert(link?.kind === "other" && !link.look.isFile);
  Deno.removeSync(mail.path("alice/new/1.a"));
  assertEquals((await held.unlink([one])).answers, [{ kind: "gone" }]);
  assertEquals(Deno.readTextFileSync(mail.path("alice/cur/2.b:2,S")), "other");
});

Deno.test("folders that were moved, or are links, are not worked in", async () => {
  using mail = new TempMail();
  mail.maildir("bob", { "new/1.a": "bob's" });
  mail.maildir("alice", { "new/1.a": "alice's" });
  const held = new HeldMailbox(mailboxOf(mail), heldFoldersOf(mail.root));
  const file = fileOf(mail, "1.a");
  Deno.renameSync(mail.path("alice/new"), mail.path("alice/old"));
  await assertRejects(() => held.unlink([file]), MaildropUnreadableError);
  Deno.symlinkSync("../bob/new", mail.path("alice/new"));
  await assertRejects(() => held.unlink([file]), MaildropUnreadableError);
  await assertRejects(() => held.list(), MaildropUnreadableError);
  Deno.removeSync(mail.path("alice/new"));
  Deno.renameSync(mail.path("bob/new"), mail.path("alice/new"));
  await assertRejects(() => held.unlink([file]), MaildropUnreadableError);
  assertEquals(Deno.readTextFileSync(mail.path("alice/new/1.a")), "bob's");
});

Deno.test("no request reaches beyond the mail folder, whoever wrote it", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "1" });
  mail.maildir("bob", { "new/1.a": "1" });
  const { self, folders } = mailboxOf(mail);
  const { stamp } = folders.get(Folder.NEW)!;
  const root = Deno.lstatSync(mail.root);
  const held: HeldFolders = heldFoldersOf(mail.path("alice"));
  const ask = async (...fields: (string | number)[]): Promise<string> => {
    const request = new TextEncoder().encode(`${fields.join("\0")}\0`);
    return new TextDecoder().decode(await held.run(request)).split("\n")[0]!;
  };
  const [device, inode] = [self.stamp.device, self.stamp.inode];
  const any = [0, 1, 0];
  const file = (name: string): (string | number)[] => [
    "unlink",
    "new",
    stamp.device,
    stamp.inode,
    1,
    "",
    stamp.device,
    stamp.inode,
    0,
    name,
    ...any,
  ];
  const hostile: (string | number)[][] = [
    ["unlink", "..", root.dev, root.ino!, 0],
    ["unlink", "../bob", device, inode, 0],
    ["unlink", "new/../../bob", device, inode, 0],
    ["unlink", "/", device, inode, 0],
    ["unlink", "", device, inode, 0],
    ["unlink", "new", stamp.device, stamp.inode, 1, "..", device, inode],
    ["unlink", "new", stamp.device, stamp.inode, 1, "../../bob", device, inode],
    file("../new/1.a"),
    file("../../bob/new/1.a"),
    file("/etc/hostname"),
    file(".."),
    file("."),
    file(""),
    [
      "unlink",
      "new",
      stamp.device,
      stamp.inode,
      1,
      "",
      stamp.device,
      stamp.inode,
      7,
      "1.a",
      ...any,
    ],
    [
      "unlink",
      "new",
      stamp.device,
      stamp.inode,
      1,
      "",
      stamp.device,
      stamp.inode,
      -1,
      "1.a",
      ...any,
    ],
    ["unlink", "new", stamp.device, "1; unlink", 0],
    ["unlink", "new", stamp.device, stamp.inode, 1],
    ["remove", "new", stamp.device, stamp.inode, 0],
    [],
  ];
  for (const fields of hostile) {
    const answer = await ask(...fields);
    assert(/^refused \w+ \d+$/.test(answer), `${JSON.stringify(fields)}: ${answer}`);
  }
  assertEquals([mail.names("alice", "new"), mail.names("bob", "new")], [["1.a"], ["1.a"]]);
});

Deno.test("a helper that is missing, or fails, is told from one that worked", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "1" });
  const workedBy = (perl: string | undefined): HeldMailbox =>
    new HeldMailbox(
      mailboxOf(mail),
      new LocalHeldFolders({
        root: mail.root,
        perl: () => Promise.resolve(perl),
        turns: new Semaphore(1),
      }),
    );
  await assertRejects(() => workedBy(undefined).list(), NoHelperError, "install perl");
  await assertRejects(() => workedBy("/nonexistent/perl").list(), NoHelperError);
  await assertRejects(() => workedBy("/bin/false").list(), HelperError, "ended with 1");
  await assertRejects(() => workedBy("/bin/true").list(), HelperError);
  assertEquals(mail.names("alice", "new"), ["1.a"]);
});
