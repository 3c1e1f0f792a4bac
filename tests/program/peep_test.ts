/** PEEP on its own port: the dialogue of docs/peep.md, what is refused, and that it is off and warned of where it should be. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, projectRoot, temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";

const FLAGS = [
  ...["--admin", "root:secret", "--admin-listen", "127.0.0.1", "--auth-delay", "0"],
  ...["--peep-listen", "127.0.0.1", "--peep-port", "0"],
];

function dial(program: RunningProgram): Promise<Pop3Client> {
  return Pop3Client.connect({ port: program.port("peep") });
}

Deno.test("docs/peep.md shows what the program answers", async () => {
  await using folder = await temporaryFolder();
  await makeMailbox(join(folder.path, "ada"), "maildir", []);
  await using program = await startProgram({
    maildir: folder.path,
    users: { ada: "ada" },
    flags: FLAGS,
  });
  using ada = await program.connect();
  await ada.login("ada", "ada");
  const page = await Deno.readTextFile(join(projectRoot, "docs/peep.md"));
  const [, dialogue = ""] = /```peep\n([\s\S]*?)```/.exec(page) ?? [];
  using client = await dial(program);
  const lines = dialogue.trimEnd().split("\n");
  assert(lines.length > 50);
  for (const line of lines) {
    if (line.startsWith("C: ")) await client.send(`${line.slice(3)}\r\n`);
    else assertEquals(await client.line(), line.slice(3), line);
  }
  await client.ended();
  assert(!/torvalds|secret/.test(program.stderr), program.stderr);
  const audit = program.log.filter(({ message }) => /root from 127\.0\.0\.1/.test(message));
  assertEquals(audit.map(({ message }) => message.replace(/^.*127\.0\.0\.1: /, "")), [
    "ADD linus: added, password hidden",
    "DELE linus: a user → deleted",
    "SET max_connections: 1000 → 500",
    "SET timeout: 600 → 700",
  ]);
});

Deno.test("as the older client speaks it: login and commands sent ahead, each answer in one piece", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({ maildir: folder.path, flags: FLAGS });
  using client = await dial(program);
  await client.send("a root secret\r\nu?\r\nrb?\nm?\r\nq\r\n");
  assertEquals([await client.line(), await client.line()], ["+", "+0"]);
  assertEquals([await client.line(), await client.line()], ["+0", `+${folder.path}`]);
  assertEquals(await client.line(), "+");
  await client.ended();
});

Deno.test("guesses, long lines and floods of nonsense end a PEEP connection", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({ maildir: folder.path, flags: FLAGS });
  {
    using client = await dial(program);
    for (let guess = 0; guess < 4; guess++) assertEquals(await client.command("a root x"), "-2");
    await client.ended();
  }
  {
    using client = await dial(program);
    assertEquals(await client.command(`a root ${"x".repeat(5000)}`), "-1");
    for (let bad = 1; bad < 8; bad++) assertEquals(await client.command(""), "-0");
    await client.ended();
  }
});

Deno.test("PEEP is off by default, stays closed under --require-tls, and warns on other addresses", async () => {
  await using folder = await temporaryFolder();
  {
    await using program = await startProgram({ maildir: folder.path });
    assert(!program.listeners.some(({ protocol }) => protocol === "peep"));
  }
  {
    await using program = await startProgram({
      maildir: folder.path,
      flags: [...FLAGS, "--require-tls"],
    });
    assert(!program.listeners.some(({ protocol }) => protocol === "peep"));
    assertMatch(program.stderr, /PEEP has no TLS; its port stays closed under --require-tls/);
  }
  await using program = await startProgram({
    maildir: folder.path,
    flags: ["--peep-listen", "0.0.0.0", "--peep-port", "0"],
  });
  assertMatch(program.stderr, /The PEEP port is open to other machines on 0\.0\.0\.0/);
});
