// The program with a state file that is not what it wrote: a sentence and status 1, the ways out, and everybody as before after them.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { temporaryFolder } from "../support/mailboxes.ts";
import {
  type Ended,
  type ProgramOptions,
  runProgram,
  serveArguments,
  startProgram,
} from "../support/program.ts";

/** A maildir and a state with ann in it, whose server was killed. */
async function killed(folder: string): Promise<ProgramOptions & { readonly state: string }> {
  const options = { maildir: join(folder, "mail"), state: join(folder, "postern.db") };
  await Deno.mkdir(options.maildir);
  const program = await startProgram({ ...options, users: { ann: "x" } });
  await program.stop("SIGKILL");
  return options;
}

/** What a start says that fails in one line of plain text. */
async function refusal(options: ProgramOptions): Promise<string> {
  const { code, stderr, stdout }: Ended = await runProgram(serveArguments(options));
  assertEquals([code, stdout], [1, ""], stderr);
  assertMatch(stderr, /^postern: [^\n]+\n$/);
  return stderr;
}

Deno.test("a state file that was truncated is refused, and --new-state begins without users", async () => {
  await using folder = await temporaryFolder();
  const options = await killed(folder.path);
  await Deno.truncate(options.state, 0);
  assertMatch(await refusal(options), /is empty: .*postern restore FILE.*--new-state/);
  const flags = ["--new-state"];
  {
    await using program = await startProgram({ ...options, flags, users: { bob: "y" } });
    assert(program.stderr.includes("A new state begins in it, without users"), program.stderr);
    using ann = await program.connect();
    await ann.line();
    await ann.ok("USER ann");
    assertMatch(await ann.command("PASS x"), /^-ERR/);
  }
  // Left in a unit file, the flag takes nobody away.
  await using program = await startProgram({ ...options, flags });
  using bob = await program.connect();
  await bob.login("bob", "y");
});

Deno.test("a state file without its log is refused; with it everybody is there", async () => {
  await using folder = await temporaryFolder();
  const options = await killed(folder.path);
  const log = await Deno.readFile(`${options.state}-wal`);
  await Deno.remove(`${options.state}-wal`);
  assertMatch(await refusal(options), /postern\.db-wal, which belongs to it, is missing/);
  await Deno.writeFile(`${options.state}-wal`, log);
  await using program = await startProgram(options);
  using ann = await program.connect();
  await ann.login("ann", "x");
});

Deno.test("a state file with other bits is refused", async () => {
  await using folder = await temporaryFolder();
  const options = await killed(folder.path);
  const octets = await Deno.readFile(options.state);
  // In the middle of ann's keys: they stand behind the name of the flag that made her.
  const text = new TextDecoder("latin1").decode(octets);
  const at = text.indexOf("userannflag") + "userannflag".length + 40;
  assert(at > 100, "ann is not found in the file");
  octets[at] = octets[at]! ^ 0x10;
  await Deno.writeFile(options.state, octets);
  assertMatch(await refusal(options), /is damaged \(the checksum of its users is wrong\)/);
});

Deno.test("a state file that others may read is taken from them", async () => {
  await using folder = await temporaryFolder();
  const options = await killed(folder.path);
  for (const suffix of ["", "-wal"]) await Deno.chmod(options.state + suffix, 0o644);
  await using program = await startProgram(options);
  for await (const { name } of Deno.readDir(folder.path)) {
    if (!name.startsWith("postern.db")) continue;
    assertEquals(((await Deno.stat(join(folder.path, name))).mode ?? 0) & 0o077, 0, name);
  }
  using ann = await program.connect();
  await ann.login("ann", "x");
});

Deno.test("a state without its log is taken as it is by postern restore, and kept beside", async () => {
  await using folder = await temporaryFolder();
  const options = await killed(folder.path);
  await Deno.remove(`${options.state}-wal`);
  await refusal(options);
  const { code, stdout, stderr } = await runProgram([
    ...["restore", "--state", options.state, "--json", options.state],
  ]);
  assertEquals([code, stderr], [0, ""]);
  const { ok, users, kept } = JSON.parse(stdout);
  assertEquals([ok, users], [true, 1]);
  assertEquals((await Deno.stat(kept)).isFile, true);
  await using program = await startProgram(options);
  using ann = await program.connect();
  await ann.login("ann", "x");
  const held = await runProgram(["restore", "--state", options.state, kept]);
  assertEquals(held.code, 1);
  assertMatch(held.stderr, /^postern: [^\n]* is held by another process[^\n]*\n$/);
});
