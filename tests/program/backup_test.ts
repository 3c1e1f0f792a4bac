// Backups of the program's state, online and at rest, by the command line and over the management port; and what cannot be done by them.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { administrator, ROOT } from "../cores/support.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { canMount, smallDisk } from "../support/small_disk.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { type Ended, type RunningProgram, runProgram, startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

const ADMIN = { POSTERN_ADMIN_LOGIN: "root:secret" };

interface Place extends AsyncDisposable {
  readonly maildir: string;
  readonly state: string;
  readonly backups: string;
}

async function place(): Promise<Place> {
  const folder = await temporaryFolder();
  const [maildir, backups] = ["mail", "backups"].map((name) => join(folder.path, name));
  for (const path of [maildir!, backups!]) await Deno.mkdir(path);
  return {
    maildir: maildir!,
    backups: backups!,
    state: join(folder.path, "postern.db"),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

function start({ maildir, state, backups }: Place, inBackups = true): Promise<RunningProgram> {
  const flags = inBackups ? [...ROOT, "--backup-dir", backups] : ROOT;
  return startProgram({ maildir, state, users: { ann: "x" }, flags });
}

/** Asks a version 2 command that answers with lines. */
async function lines(admin: Pop3Client, command: string): Promise<string[]> {
  await admin.ok(command);
  return await admin.list();
}

function backUp(program: RunningProgram, { state }: Place, file: string): Promise<Ended> {
  const port = String(program.port("msmp"));
  return runProgram(["backup", "--state", state, "-P", port, "--json", file], { env: ADMIN });
}

Deno.test("postern backup of a running server, restored, lets everybody in who was there", async () => {
  await using at = await place();
  // On another file system, which cannot be linked to, where this test may have one.
  await using elsewhere = canMount ? await smallDisk(4 * 1024 * 1024) : await temporaryFolder();
  const files = [join(at.maildir, "..", "one.db"), join(elsewhere.path, "two.db")];
  {
    await using program = await start(at);
    using admin = await administrator(program);
    await admin.ok("ADD bob y");
    for (const file of files) {
      const { code, stdout, stderr } = await backUp(program, at, file);
      assertEquals([code, stderr], [0, ""]);
      const { octets, ...made } = JSON.parse(stdout);
      assertEquals(made, { ok: true, path: file, users: 2, administrators: 1 });
      const { mode, size } = await Deno.stat(file);
      assertEquals([(mode ?? 0) & 0o777, size], [0o600, octets]);
    }
    assertEquals(await Array.fromAsync(Deno.readDir(at.backups)), []);
    const second = await runProgram(["user", "--state", at.state, "list"]);
    assertMatch(second.stderr, /is held by another process/, "a backup lets go of the state");
    const again = await backUp(program, at, files[0]!);
    assertEquals(again.code, 1);
    assertMatch(again.stderr, /^postern: [^\n]*one\.db exists already[^\n]*\n$/);
    await admin.ok("ADD carol z");
    assertEquals(await admin.command("DELE bob"), "+OK Deleted user");
    const audited = (): number =>
      program.log.filter(({ message }) => message.includes(": BACKUP ")).length;
    await eventually("two lines of the audit", () => audited() === 2, () => program.stderr);
  }
  for (const file of files) {
    const restored = await runProgram(["restore", "--state", at.state, file]);
    assertEquals([restored.code, restored.stderr], [0, ""]);
    assertMatch(restored.stdout, /^Restored 2 users and 1 administrator from .*is kept as /);
    await using program = await startProgram({ maildir: at.maildir, state: at.state });
    using bob = await program.connect();
    await bob.login("bob", "y");
    using carol = await program.connect();
    await carol.line();
    await carol.ok("USER carol");
    assertMatch(await carol.command("PASS z"), /^-ERR/);
  }
});

Deno.test("postern backup of a state at rest needs no server and no login", async () => {
  await using at = await place();
  await (await start(at)).stop();
  const file = join(at.backups, "one.db");
  const made = await runProgram(["backup", "--state", at.state, file]);
  assertEquals([made.code, made.stderr], [0, ""]);
  assertEquals(made.stdout, `Backed up 1 user and 1 administrator to ${file}\n`);
  const none = await runProgram(["backup", "--state", join(at.backups, "none"), `${file}2`]);
  assertEquals(none.code, 1);
  assertMatch(none.stderr, /^postern: There is no state file [^\n]*\n$/);
  assertEquals((await runProgram(["backup"])).code, 2);
  assertEquals((await runProgram(["restore"])).code, 2);
});

Deno.test("postern backup without a login says that the server makes the backup", async () => {
  await using at = await place();
  await using program = await start(at);
  const flags = ["--state", at.state, "-P", String(program.port("msmp"))];
  const file = join(at.backups, "one.db");
  const without = await runProgram(["backup", ...flags, file]);
  assertEquals(without.code, 2);
  assertMatch(without.stderr, /^postern: a server holds [^\n]* no administrator: expected -u/);
  const wrong = await runProgram(["backup", ...flags, "-u", "root:wrong", file]);
  assertEquals(wrong.code, 1);
  assertMatch(wrong.stderr, /^postern: A server holds [^\n]* Invalid credentials\n$/);
});

Deno.test("BACKUP writes new files into its folder, and nothing else anywhere", async () => {
  await using at = await place();
  await using program = await start(at, false);
  const folder = join(at.maildir, "..");
  using admin = await administrator(program);
  await admin.ok("MSMP 2");
  const [path] = await lines(admin, "BACKUP good-1.db");
  assertEquals(path, `path: ${await Deno.realPath(folder)}/good-1.db`);
  const before = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  const hostile = [
    ...[
      "../x.db",
      "/tmp/x.db",
      "mail/x.db",
      ".hidden",
      "..",
      ".",
      "-x",
      "x/",
      "a\\b",
      "x\u202egnp.db",
    ],
    ...["postern.db-wal", "postern.db-journal", "other-shm", "x".repeat(101), "%2e%2e%2fx"],
  ];
  for (const name of hostile) {
    assertMatch(await admin.command(`BACKUP ${name}`), /^-ERR Invalid name/, name);
  }
  for (const name of ["postern.db", "good-1.db", "mail"]) {
    assertMatch(await admin.command(`BACKUP ${name}`), /^-ERR \S+ exists already/, name);
  }
  assertMatch(await admin.command("BACKUP two words"), /^-ERR/);
  await Deno.symlink("/nonexistent/target", join(folder, "link.db"));
  assertMatch(await admin.command("BACKUP link.db"), /^-ERR \S+ exists already/);
  await Deno.remove(join(folder, "link.db"));
  const after = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  assertEquals(after, before);
});

Deno.test("BACKUP says why it cannot be made, and the server goes on", async () => {
  await using at = await place();
  await using program = await start(at);
  using admin = await administrator(program);
  await admin.ok("MSMP 2");
  await Deno.remove(at.backups);
  assertMatch(await admin.command("BACKUP"), /^-ERR The folder of backups \S+ cannot be used: /);
  await Deno.mkdir(at.backups);
  assert((await lines(admin, "BACKUP")).length === 4);
  await using forgetful = await startProgram({ maildir: at.backups, flags: ROOT });
  using other = await administrator(forgetful);
  await other.ok("MSMP 2");
  assertMatch(await other.command("BACKUP"), /^-ERR The state is in memory/);
});
