// `postern import mail`: mboxes, Cyrus folders and single files, each message once, with times, flags and ids.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { mboxMessages } from "../../lib/migrate/mbox.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { postern } from "../support/piped_program.ts";
import { startProgram } from "../support/program.ts";

const FROM = "From ada@example.org Tue Nov 14 22:13:20 2023\n";
const text = (octets: Uint8Array): string => new TextDecoder().decode(octets);

Deno.test("an mbox is taken apart: >From undone once, told lengths believed where they fit", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "mbox");
  const body = "Hello\n\nFrom here on\n>From quoted\n";
  await Deno.writeTextFile(
    path,
    `${FROM}Subject: rd\n\n>From me\n>>From you\nFrom nobody\n\n` +
      `${FROM}Subject: cl2\nContent-Length: ${body.length}\n\n${body}\n` +
      `${FROM}Subject: wrong\nContent-Length: 3\n\nabcdef\n\n${FROM}Subject: empty\n\n`,
  );
  const found = [...mboxMessages(path)];
  assertEquals(
    found.map(({ octets }) => text(octets)),
    [
      "Subject: rd\n\nFrom me\n>From you\nFrom nobody\n",
      `Subject: cl2\nContent-Length: ${body.length}\n\n${body}`,
      "Subject: wrong\nContent-Length: 3\n\nabcdef\n",
      "Subject: empty\n\n",
    ].map((each, at) => at === 3 ? "Subject: empty\n" : each),
  );
  assertEquals(found[0]!.delivered, Date.parse("2023-11-14T22:13:20Z"));
});

async function shown(mail: string): Promise<{ ids: string[]; subjects: string[] }> {
  await using program = await startProgram({
    maildir: mail,
    users: { ada: "pw" },
    flags: ["--auth-delay", "0", "--no-flag-updates"],
  });
  const client = await program.connect();
  await client.login("ada", "pw");
  await client.ok("UIDL");
  const ids = (await client.list()).map((line) => line.split(" ")[1]!);
  const subjects: string[] = [];
  for (let number = 1; number <= ids.length; number++) {
    subjects.push(/^Subject: (.*)\r$/m.exec(text(await client.retrieve(number)))?.[1] ?? "");
  }
  await client.leave();
  return { ids, subjects };
}

Deno.test("UW's ids and flags come with the messages; a second import takes none twice; --undo removes them", async () => {
  await using folder = await temporaryFolder();
  const mail = join(folder.path, "mail");
  await Deno.mkdir(mail);
  const mbox = join(folder.path, "mbox");
  await Deno.writeTextFile(
    mbox,
    `${FROM}Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1700000000 0000000003\n\ndata\n\n` +
      `${FROM}Subject: one\nX-UID: 1\nStatus: RO\nX-Status: AF\n\na\n\n` +
      `${FROM}Subject: two\nX-UID: 3\n\nb\n\n`,
  );
  const run = (...args: string[]): ReturnType<typeof postern> =>
    postern(["import", "mail", "-d", mail, "--state", join(folder.path, "s.db"), ...args]);
  const first = await run("--from", "mbox", mbox, "ada", "--write");
  assertEquals(first.code, 0, first.stdout + first.stderr);
  assertEquals(
    first.stdout,
    "ada: 2 messages, 2 taken, 0 there already, 2 with an id, 0 refused\n",
  );
  const files = [...Deno.readDirSync(join(mail, "ada", "cur"))].map(({ name }) => name);
  assertEquals(files.map((name) => name.split(":")[1]), ["2,FRS"]);
  const { mtime } = await Deno.stat(join(mail, "ada", "cur", files[0]!));
  assertEquals(mtime!.getTime(), Date.parse("2023-11-14T22:13:20Z"));
  const again = await run("--from", "mbox", mbox, "ada");
  assertEquals(again.stdout, "ada: 2 messages, 0 new, 2 there already, 2 with an id, 0 refused\n");
  assertEquals((await run("--undo", "ada")).stdout, "ada: 2 messages removed again\n");
  assertEquals([...Deno.readDirSync(join(mail, "ada", "new"))].length, 0);
  await run("--from", "mbox", mbox, "ada", "--write");
  assertEquals(await shown(mail), {
    ids: ["6553f10000000001", "6553f10000000003"],
    subjects: ["one", "two"],
  });
  assertEquals((await run("--undo", "ada")).code, 1, "a session has shown them");
  assertEquals((await run("--undo", "ada", "--force")).code, 0);
});

Deno.test("Cyrus's ids by mbexamine, Qpopper's by header, and single files", async () => {
  await using folder = await temporaryFolder();
  const mail = join(folder.path, "mail");
  const spool = join(folder.path, "spool");
  await Deno.mkdir(join(spool, "sub"), { recursive: true });
  await Deno.mkdir(mail);
  await Deno.writeTextFile(join(spool, "9."), "Subject: nine\r\n\r\nx\r\n");
  await Deno.writeTextFile(join(spool, "10."), "Subject: ten\r\n\r\nx\r\n");
  await Deno.writeTextFile(join(spool, "cyrus.index"), "no message");
  const examined = join(folder.path, "examined");
  await Deno.writeTextFile(examined, " UIDValidity: 1234\n Mailbox Options: 0x1 POP3_NEW_UIDL\n");
  const run = (...args: string[]): ReturnType<typeof postern> =>
    postern([
      "import",
      "mail",
      "-d",
      mail,
      "--state",
      join(folder.path, "s.db"),
      ...args,
      "ada",
      "--write",
    ]);
  const cyrus = await run("--from", "cyrus", "--file", examined, spool);
  assertEquals(cyrus.code, 0, cyrus.stdout + cyrus.stderr);
  const mbox = join(folder.path, "mbox");
  await Deno.writeTextFile(
    mbox,
    `${FROM}Subject: q1\nX-UIDL: abc\n\n1\n\n${FROM}Subject: q2\nX-UIDL: same\n\n2\n\n${FROM}Subject: q3\nX-UIDL: same\n\n3\n`,
  );
  const qpopper = await run("--from", "mbox", mbox, "-v");
  assertEquals(qpopper.code, 1);
  assertStringIncludes(qpopper.stdout, "3 taken, 0 there already, 1 with an id, 1 refused");
  await Deno.writeTextFile(join(folder.path, "a.eml"), "Subject: single\n\nx\n");
  assertEquals((await run("--from", "eml", join(folder.path, "a.eml"))).code, 0);
  const { ids, subjects } = await shown(mail);
  assertEquals(subjects.slice(0, 2), ["nine", "ten"]);
  assertEquals(ids.slice(0, 2), ["1234.9", "1234.10"]);
  assertEquals(subjects.toSorted(), ["nine", "q1", "q2", "q3", "single", "ten"]);
  assertEquals(ids[subjects.indexOf("q1")], "abc");
});

Deno.test("what is no mbox, no folder or no Maildir is a sentence", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(join(folder.path, "mail", "ada"), { recursive: true });
  await Deno.writeTextFile(join(folder.path, "mail", "ada", "1.eml"), "Subject: x\n\nx\n");
  await Deno.writeTextFile(join(folder.path, "no"), "Subject: x\n\nx\n");
  for (
    const [path, said] of [[join(folder.path, "no"), "no mbox"], ["/nowhere", "cannot be read"]]
  ) {
    const { code, stdout } = await postern(
      ["import", "mail", "-d", join(folder.path, "mail"), "--from", "mbox", path!, "ada"],
    );
    assertEquals(code, 1);
    assertStringIncludes(stdout, said!);
  }
  const { stdout } = await postern(
    [
      "import",
      "mail",
      "-d",
      join(folder.path, "mail"),
      "--from",
      "eml",
      join(folder.path, "no"),
      "ada",
    ],
  );
  assertStringIncludes(stdout, "no Maildir");
});
