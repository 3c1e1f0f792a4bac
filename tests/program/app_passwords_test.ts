/** App passwords of the started program: checked like passwords, with an end, networks, read-only, and their last use, over a restart. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { postern } from "../support/piped_program.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";

const ROOT = ["--admin", "root:secret", "--admin-listen", "127.0.0.1", "--auth-delay", "0"];

async function admin(program: RunningProgram, ...words: string[]): Promise<string> {
  const { stdout, stderr } = await postern(
    ["admin", "-p", String(program.port("msmp")), ...words],
    { env: { POSTERN_ADMIN_LOGIN: "root:secret" } },
  );
  return (stdout + stderr).trimEnd();
}

/** Logs in by PASS, or by AUTH PLAIN; tells the answer. */
async function login(program: RunningProgram, password: string, plain = false): Promise<string> {
  using client = await program.connect();
  await client.line();
  if (plain) return await client.command(`AUTH PLAIN ${btoa(`\0ada\0${password}`)}`);
  await client.ok("USER ada");
  return await client.command(`PASS ${password}`);
}

Deno.test("an app password with terms: read-only, other networks, an end; its use is told", async () => {
  await using folder = await temporaryFolder();
  const maildir = join(folder.path, "mail");
  await makeMailbox(join(maildir, "ada"), "maildir", [messageOfSize(300)]);
  const options = {
    maildir,
    state: join(folder.path, "postern.db"),
    users: { ada: "own" },
    flags: ROOT,
  };
  let reading = "";
  {
    await using program = await startProgram(options);
    reading = await admin(program, "key", "add", "ada", "pad", "read-only", "expires=30d");
    assertMatch(reading, /^[a-z2-7-]{29}$/);
    const elsewhere = await admin(program, "key", "add", "ada", "far", "networks=192.0.2.0/24");
    const here = await admin(program, "key", "add", "ada", "near", "networks=127.0.0.0/8,::1");
    assertMatch(
      await admin(program, "key", "add", "ada", "x", "expires=2001-01-01"),
      /Invalid expires/,
    );
    const unused = await admin(program, "key", "list", "ada");
    assertMatch(unused, /^\S+ \S+ far networks=192\.0\.2\.0\/24\n\S+ \S+ near networks=/);
    assertMatch(unused, /\n\S+ \S+ pad expires=\S+Z read-only$/);

    assertMatch(await login(program, elsewhere), /^-ERR \[AUTH\] Authentication failed$/);
    for (const plain of [false, true, true]) {
      assertMatch(await login(program, here, plain), /^\+OK/);
    }
    {
      using client = await program.connect();
      await client.login("ada", reading);
      await client.retrieve(1);
      assertEquals(await client.command("DELE 1"), "-ERR This app password is read-only");
      assertEquals(await client.command("QUIT"), "+OK 1 messages left");
    }
    {
      // The user's own password deletes, and rescues nothing here.
      using client = await program.connect();
      await client.login("ada", "own");
      assertMatch(await client.command("DELE 1"), /^\+OK/);
      await client.command("RSET");
      await client.ok("QUIT");
    }
    const used = await admin(program, "--json", "key", "list", "ada");
    const [far, near, pad] = JSON.parse(used);
    assertEquals([far.label, far.used], ["far", undefined]);
    assertEquals([near.label, near.from, near.networks], [
      "near",
      "127.0.0.1",
      ["127.0.0.0/8", "::1/128"],
    ]);
    assert(Date.parse(near.used) > 0);
    assertEquals([pad.label, pad.readOnly, pad.from], ["pad", true, "127.0.0.1"]);
  }
  await using program = await startProgram(options);
  assertMatch(
    await admin(program, "key", "list", "ada"),
    /pad expires=\S+ read-only used=\S+ from=127/,
  );
  {
    using client = await program.connect();
    await client.login("ada", reading);
    assertEquals(await client.command("DELE 1"), "-ERR This app password is read-only");
  }
  assertEquals(await admin(program, "key", "delete", "ada", "pad"), "Deleted app password");
  assertMatch(await login(program, reading), /^-ERR \[AUTH\]/);
});
