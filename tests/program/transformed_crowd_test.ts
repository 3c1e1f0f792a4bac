// 500 users at once through cat, eight at a time: every octet right, never a ninth program, none left.
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { stuffedForm } from "../support/awkward_messages.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";
import { childrenOf } from "../transform/processes.ts";
import { eventually } from "../support/waiting.ts";

const USERS = 500;
const MOST = 8;
/** So many different messages; hard links spare the disk the rest. */
const KINDS = 7;

Deno.test("500 users at once get 1 MB each through cat, eight at a time", async () => {
  await using folder = await temporaryFolder();
  const maildir = join(folder.path, "mail");
  const messages = Array.from({ length: KINDS }, (_, k) => messageOfSize(1_000_000, `kind ${k}`));
  const wire = messages.map(stuffedForm);
  for (const [kind, message] of messages.entries()) {
    await Deno.writeFile(join(folder.path, String(kind)), message);
  }
  const names = Array.from({ length: USERS }, (_, index) => `user${index}`);
  for (const [index, name] of names.entries()) {
    await makeMailbox(join(maildir, name), "maildir", []);
    const kind = join(folder.path, String(index % KINDS));
    await Deno.link(kind, join(maildir, name, "new", "1700000001.M1P1.host"));
  }
  const users = join(folder.path, "users");
  await Deno.writeTextFile(users, names.map((name) => `${name}:{PLAIN}pw\n`).join(""));
  await using program = await startProgram({
    maildir,
    flags: [
      ...["--users", users, "--no-flag-updates"],
      ...["--transformer", "cat", "--max-transformers", String(MOST)],
    ],
  });
  let over = false;
  let most = 0;
  const watching = (async () => {
    while (!over) most = Math.max(most, (await childrenOf(program.pid)).length);
  })();
  await Promise.all(names.map(async (name, index) => {
    using client = await program.connect();
    await client.login(name, "pw");
    assertEquals(await client.command("RETR 1"), "+OK message follows");
    const sent = await client.multilineSent();
    assert(Buffer.compare(sent, wire[index % KINDS]!) === 0, `${name} got other octets`);
    await client.ok("QUIT");
  }));
  over = true;
  await watching;
  assert(most > 0 && most <= MOST, `${most} programs ran at once`);
  await eventually("no child is left", async () => (await childrenOf(program.pid)).length === 0);
});
