// 500 users at once, each LIST and RETR of 1 MB, every octet right and nobody refused.
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { stuffedForm } from "../support/awkward_messages.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";

const USERS = 500;
const OCTETS = 1_000_000;
/** So many different messages; hard links spare the disk the rest. */
const KINDS = 7;

Deno.test("500 users at once list and retrieve 1 MB each, every octet right", async () => {
  await using folder = await temporaryFolder();
  const maildir = join(folder.path, "mail");
  const messages = Array.from(
    { length: KINDS },
    (_, kind) => messageOfSize(OCTETS, `kind ${kind}`),
  );
  const wire = messages.map(stuffedForm);
  for (const [kind, message] of messages.entries()) {
    await Deno.writeFile(join(folder.path, String(kind)), message);
  }
  const names = Array.from({ length: USERS }, (_, index) => `user${index}`);
  for (const [index, name] of names.entries()) {
    await makeMailbox(join(maildir, name), "maildir", []);
    await Deno.link(
      join(folder.path, String(index % KINDS)),
      join(maildir, name, "new", "1700000001.M1P1.host"),
    );
  }
  const users = join(folder.path, "users");
  await Deno.writeTextFile(users, names.map((name) => `${name}:{PLAIN}pw-${name}\n`).join(""));
  await using program = await startProgram({
    maildir,
    flags: ["--users", users, "--no-flag-updates"],
  });

  await Promise.all(names.map(async (name, index) => {
    using client = await program.connect();
    assertEquals(await client.login(name, `pw-${name}`), `+OK 1 messages (${OCTETS} octets)`);
    await client.ok("LIST");
    assertEquals(await client.list(), [`1 ${OCTETS}`]);
    assertEquals(await client.command("RETR 1"), `+OK ${OCTETS} octets`);
    const sent = await client.multilineSent();
    assert(
      Buffer.compare(sent, wire[index % KINDS]!) === 0,
      `${name} got other octets than stored`,
    );
    assertEquals(await client.command("QUIT"), "+OK 1 messages left");
  }));
});
