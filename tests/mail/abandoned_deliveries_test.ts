// What deliveries left in tmp/: removed after 36 hours (Maildir's rules), by the daily sweep, in every kind of mailbox, and nothing else.

import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";
import { TempMail } from "./temp_mail.ts";

const HOUR = 60 * 60 * 1000;

/** Makes a file look as old as that, read and written. */
function age(path: string, written: number, read = written): void {
  Deno.utimeSync(path, new Date(Date.now() - read * HOUR), new Date(Date.now() - written * HOUR));
}

/** A mailbox with one file to be removed, and many that are not. */
function fill(mail: TempMail, user: string): void {
  mail.maildir(user, {
    "tmp/old": "x",
    "tmp/young": "x",
    "tmp/read-lately": "x",
    "cur/1.host:2,S": "x",
    "new/2.host": "x",
  });
  Deno.mkdirSync(mail.path(user, "tmp", "folder"));
  Deno.symlinkSync("../cur/1.host:2,S", mail.path(user, "tmp", "link"));
  age(mail.path(user, "tmp/old"), 37);
  age(mail.path(user, "tmp/young"), 35);
  age(mail.path(user, "tmp/read-lately"), 100, 1);
  age(mail.path(user, "cur/1.host:2,S"), 1000);
  age(mail.path(user, "new/2.host"), 1000);
}

function assertTidy(mail: TempMail, user: string): void {
  assertEquals(mail.names(user, "tmp"), ["folder", "link", "read-lately", "young"]);
  assertEquals([mail.names(user, "cur"), mail.names(user, "new")], [["1.host:2,S"], ["2.host"]]);
}

Deno.test("files in tmp/ go after 36 hours without being read or written, and nothing else goes", async () => {
  using mail = new TempMail();
  fill(mail, "alice");
  assertEquals(await mail.store().removeAbandoned("alice"), 1);
  assertTidy(mail, "alice");
  assertEquals(await mail.store().removeAbandoned("alice"), 0);
  assertEquals(await mail.store().removeAbandoned("nobody"), 0);
});

Deno.test("a plain folder's files, and those of a tmp/ that is a link, are left alone", async () => {
  using mail = new TempMail();
  mail.put("bob", { "1.eml": "x" });
  age(mail.path("bob/1.eml"), 1000);
  assertEquals(await mail.store().removeAbandoned("bob"), 0);
  fill(mail, "alice");
  mail.maildir("eve");
  Deno.removeSync(mail.path("eve/tmp"));
  Deno.symlinkSync(mail.path("alice/cur"), mail.path("eve/tmp"));
  assertEquals(await mail.store().removeAbandoned("eve"), 0);
  assertEquals(mail.names("alice", "cur"), ["1.host:2,S"]);
});

Deno.test({
  name: "in a mailbox that belongs to its user, files in tmp/ are removed in the held folder",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    using mail = new TempMail();
    fill(mail, "alice");
    mail.give("alice", 12_345);
    age(mail.path("alice/tmp/old"), 37);
    assertEquals(await mail.store().removeAbandoned("alice"), 1);
    assertTidy(mail, "alice");
  },
});

Deno.test("the program removes old files in tmp/ of its users, without any expire", async () => {
  await using folder = await temporaryFolder();
  await makeMailbox(join(folder.path, "ada"), "maildir", [
    { bytes: new Uint8Array(1), name: "1.left", folder: "tmp" },
    { bytes: new Uint8Array(1), name: "2.host", folder: "new" },
  ]);
  age(join(folder.path, "ada/tmp/1.left"), 40);
  await using program = await startProgram({ maildir: folder.path, users: { ada: "ada" } });
  await eventually(
    "the sweep",
    () => [...Deno.readDirSync(join(folder.path, "ada/tmp"))].length === 0,
  );
  await eventually(
    "its log line",
    () => program.stderr.includes("unfinished deliveries from tmp/"),
    () => program.stderr,
  );
  assertEquals([...Deno.readDirSync(join(folder.path, "ada/new"))].length, 1);
});
