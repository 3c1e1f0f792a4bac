// `postern import uidl --source`: ids of a server that still runs, found again by headers.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { headerHash } from "../../lib/migrate/header_hash.ts";
import { makeMailbox, temporaryFolder } from "../support/mailboxes.ts";
import { postern } from "../support/piped_program.ts";
import { startProgram } from "../support/program.ts";

Deno.test("a header has one hash whatever servers add, fold or order", () => {
  const hash = headerHash(["Subject: a", " b", "From: x", "", "body"]);
  assertEquals(
    headerHash([
      "Return-Path: <y>",
      "From: x",
      "X-UIDL: 1",
      "Subject: a",
      " b",
      "  ",
      "Status: RO",
    ]),
    hash,
  );
  assertEquals(headerHash(["Subject: a", "From: x"]) === hash, false);
});

Deno.test("messages keep the ids of a server that still runs, though its files have other names", async () => {
  await using folder = await temporaryFolder();
  const [old, mail] = [join(folder.path, "old"), join(folder.path, "mail")];
  const message = (at: number, body: string): Uint8Array<ArrayBuffer> =>
    new TextEncoder().encode(`From: a@x\nSubject: ${at % 10}\n\n${body}\n`);
  // Some have the same header, and are told apart by their sizes; two are quite alike.
  const messages = Array.from({ length: 40 }, (_, at) => message(at, "x".repeat(at < 38 ? at : 7)));
  await makeMailbox(join(old, "ada"), "maildir", messages);
  await makeMailbox(
    join(mail, "ada"),
    "maildir",
    messages.map((bytes, at) => ({ bytes, name: `${1_600_000_000 + at}.other.${at}` })),
  );
  const password = join(folder.path, "password");
  await Deno.writeTextFile(password, "pw\n");
  await using program = await startProgram({
    maildir: old,
    users: { ada: "pw" },
    flags: ["--auth-delay", "0"],
  });
  const client = await program.connect();
  await client.login("ada", "pw");
  await client.ok("UIDL");
  const listed = await client.list();
  await client.ok("QUIT");
  await client.leave();
  const run = (...args: string[]): ReturnType<typeof postern> =>
    postern([
      ...["import", "uidl", "ada", "-d", mail, "--state", join(folder.path, "s.db")],
      ...["--source", `pop3://ada:@${password}@127.0.0.1:${program.port()}`, ...args],
    ]);
  const written = await run("--write");
  assertEquals(written.code, 0, written.stdout + written.stderr);
  assertStringIncludes(written.stdout, "ada: 40 messages, 40 keep their id");
  const saved = join(folder.path, "saved");
  await Deno.writeTextFile(saved, listed.join("\n"));
  const verified = await postern(["verify", "uidl", "ada", "--list", saved, "-d", mail]);
  assertEquals(verified.code, 0, verified.stdout);

  await run("--undo");
  for (let at = 0; at < 3; at++) {
    await Deno.remove(join(mail, "ada", "new", `${1_600_000_000 + at}.other.${at}`));
  }
  const few = await run("--write", "-v");
  assertEquals(few.code, 1);
  assertStringIncludes(few.stdout, "fewer than 95 %");
  assertEquals([...Deno.readDirSync(join(mail, "ada"))].length, 3);
  const forced = await run("--write", "--force");
  assertEquals(forced.code, 0, forced.stdout);
  assertStringIncludes(forced.stdout, "1 written");
});

Deno.test("an old server that cannot be reached, or refuses the login, is a sentence", async () => {
  await using folder = await temporaryFolder();
  await makeMailbox(join(folder.path, "ada"), "maildir", []);
  await using program = await startProgram({
    maildir: folder.path,
    users: { ada: "pw" },
    flags: ["--auth-delay", "0"],
  });
  const run = (source: string): ReturnType<typeof postern> =>
    postern(["import", "uidl", "ada", "-d", folder.path, "--source", source]);
  const refused = await run(`pop3://ada:wrong@127.0.0.1:${program.port()}`);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stdout, "the login");
  assertEquals(refused.stdout.includes("wrong"), false);
  assertEquals((await run("pop3://ada:pw@127.0.0.1:1")).code, 1);
});
