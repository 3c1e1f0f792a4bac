/** The layout of an older server: a user is a folder, the name of its `*.pwd` file the password. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { temporaryFolder } from "../support/mailboxes.ts";
import { postern } from "../support/piped_program.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";

async function login(program: RunningProgram, user: string, password: string): Promise<string> {
  using client = await program.connect();
  await client.line();
  await client.ok(`USER ${user}`);
  return await client.command(`PASS ${password}`);
}

/** Plain folders with a message and the password; ada, carol@example.org, and eve with two passwords. */
async function layout(root: string): Promise<void> {
  for (const folder of ["ada", "eve", "bob", "example.org/carol"]) {
    await Deno.mkdir(join(root, folder), { recursive: true });
    await Deno.writeTextFile(join(root, folder, "1.eml"), "Subject: x\r\n\r\nx\r\n");
  }
  await Deno.writeTextFile(join(root, "ada", "hunter 2:x.pwd"), "");
  await Deno.writeTextFile(join(root, "example.org/carol", "c.pwd"), "");
  await Deno.writeTextFile(join(root, "eve", "one.pwd"), "");
  await Deno.writeTextFile(join(root, "eve", "two.pwd"), "");
}

Deno.test("--pwd-files lets users in by the names of files, with a warning, and never serves them", async () => {
  await using folder = await temporaryFolder();
  const maildir = join(folder.path, "mail");
  await layout(maildir);
  {
    await using program = await startProgram({ maildir });
    assertMatch(await login(program, "ada", "hunter 2:x"), /^-ERR \[AUTH\]/);
  }
  await using program = await startProgram({
    maildir,
    users: { bob: "state" },
    flags: ["--pwd-files", "--auth-delay", "0"],
  });
  assertMatch(program.stderr, /pwd_files true lets file names be passwords/);
  assertMatch(await login(program, "ada", "hunter 2:x"), /^\+OK 1 messages/);
  assertMatch(await login(program, "ada", "hunter"), /^-ERR \[AUTH\]/);
  assertMatch(await login(program, "carol@example.org", "c"), /^\+OK 1 messages/);
  assertMatch(await login(program, "eve", "one"), /^-ERR \[AUTH\]/);
  assertMatch(await login(program, "../ada", "hunter 2:x"), /^-ERR \[AUTH\]/);
  assertMatch(await login(program, "bob", "state"), /^\+OK/);
  // A changed name is a changed password at once.
  await Deno.rename(join(maildir, "ada/hunter 2:x.pwd"), join(maildir, "ada/new.pwd"));
  assertMatch(await login(program, "ada", "hunter 2:x"), /^-ERR \[AUTH\]/);
  assertMatch(await login(program, "ada", "new"), /^\+OK/);
  assert(!program.stderr.includes("hunter"), program.stderr);
});

Deno.test("postern user import FOLDER makes keys of *.pwd files", async () => {
  await using folder = await temporaryFolder();
  const maildir = join(folder.path, "mail");
  await layout(maildir);
  const state = join(folder.path, "postern.db");
  const { code, stdout, stderr } = await postern(["user", "--state", state, "import", maildir]);
  assertEquals([code, stdout], [0, "Added 2, updated 0\n"], stderr);
  await using program = await startProgram({ maildir, state, flags: ["--auth-delay", "0"] });
  assertMatch(await login(program, "ada", "hunter 2:x"), /^\+OK 1 messages/);
  assertMatch(await login(program, "carol@example.org", "c"), /^\+OK 1 messages/);
});
