// A disk that is full, or fails, beneath the state: a start says so in a sentence; a server that runs goes on, and catches up later.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { administrator, ROOT } from "../cores/support.ts";
import { projectRoot, temporaryFolder } from "../support/mailboxes.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import {
  type ProgramOptions,
  RunningProgram,
  runProgram,
  serveArguments,
  startProgram,
} from "../support/program.ts";
import { canMount, type SmallDisk, smallDisk } from "../support/small_disk.ts";
import { eventually } from "../support/waiting.ts";

const DISK = 2 * 1024 * 1024;

/** A test that is reported as ignored where no file system can be mounted. */
function diskTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !canMount, fn });
}

interface Place extends AsyncDisposable {
  readonly options: ProgramOptions & { readonly state: string };
  readonly disk: SmallDisk;
}

/** A state on a small disk, and a mail folder on another. */
async function place(): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const disk = stack.use(await smallDisk(DISK));
  const maildir = join(folder.path, "mail");
  await Deno.mkdir(maildir);
  const all = stack.move();
  return {
    options: { maildir, state: join(disk.path, "postern.db"), users: { ann: "x" }, flags: ROOT },
    disk,
    [Symbol.asyncDispose]: () => all[Symbol.asyncDispose](),
  };
}

/** Starts the program with a worker that dies of SIGUSR2. */
async function startMortal(options: ProgramOptions): Promise<RunningProgram> {
  const script = join(import.meta.dirname!, "mortal_program.ts");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-P=server", script, ...serveArguments(options)],
    cwd: projectRoot,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const program = new RunningProgram(child);
  await program.ready();
  return program;
}

/** No line of the log is an error that nothing caught, and none has a stack. */
function assertCalm(program: { readonly stderr: string }): void {
  const lines = program.stderr.split("\n").filter((line) => !line.includes("killed by a test"));
  assertEquals(lines.filter((line) => /Uncaught|panicked|"fatal"|"stack"/.test(line)), []);
}

async function login(program: RunningProgram, name: string, password: string): Promise<void> {
  using client = await program.connect();
  await client.login(name, password);
  assertEquals(await client.command("QUIT"), "+OK 0 messages left");
  await client.ended();
}

/** What version 1 answers to LIST for a user: how many accesses there were. */
async function accesses(admin: Pop3Client, name: string): Promise<string[]> {
  await admin.ok(`LIST ${name}`);
  return [await admin.line()];
}

diskTest(
  "a start on a full disk says so in one sentence, with a new state and with an old one",
  async () => {
    await using at = await place();
    const start = async (): Promise<void> => {
      const { code, stderr } = await runProgram(serveArguments(at.options));
      assertEquals(code, 1, stderr);
      assertMatch(stderr, /^postern: The state file [^\n]*(disk is full|no space left)[^\n]*\n$/);
    };
    await at.disk.fill();
    await start();
    await at.disk.free();
    await (await startProgram(at.options)).stop("SIGKILL");
    await at.disk.fill();
    await start();
    await at.disk.free();
    await (await startProgram(at.options)).stop();
    await at.disk.fill();
    await start();
    await at.disk.free();
    await using program = await startProgram(at.options);
    await login(program, "ann", "x");
  },
);

diskTest(
  "a server whose disk is full lets users in, replaces a dead worker, and catches up later",
  async () => {
    await using at = await place();
    const flags = [...ROOT, "--workers", "1"];
    {
      await using program = await startMortal({ ...at.options, flags });
      using admin = await administrator(program);
      await admin.ok("ADD bob y");
      await login(program, "ann", "x");
      await at.disk.fill();
      await login(program, "ann", "x");
      await login(program, "bob", "y");
      for (const change of ["ADD carol z", "DELE bob", "SET timeout 700", "ADD bob new"]) {
        assertMatch(
          await admin.command(change),
          /^-ERR The state file .*disk is full.*make room/,
          change,
        );
      }
      // Nothing was changed by halves, and what was not written yet is read all the same.
      assertEquals(await accesses(admin, "ann"), ["ann 2 logs"]);
      assertEquals(await admin.command("GET timeout"), "+OK 600");
      await login(program, "bob", "y");
      program.signal("SIGUSR2");
      await eventually(
        "another worker",
        () => program.log.some(({ message }) => /was replaced/.test(message)),
        () => program.stderr,
      );
      await login(program, "ann", "x");
      const said = program.log.filter(({ message }) => /disk is full/.test(message));
      assert(said.length >= 1 && said.length <= 7, program.stderr);
      await at.disk.free();
      await eventually(
        "the access log being written",
        () => program.log.some(({ message }) => /can be written again/.test(message)),
        () => program.stderr,
      );
      await admin.ok("ADD carol z");
      await login(program, "carol", "z");
      assertEquals(await accesses(admin, "ann"), ["ann 3 logs"]);
      assertCalm(program);
    }
    await using program = await startProgram({ ...at.options, flags });
    using admin = await administrator(program);
    assertEquals(await accesses(admin, "ann"), ["ann 3 logs"]);
    assertEquals(await accesses(admin, "bob"), ["bob 2 logs"]);
    await admin.ok("MSMP 2");
    await admin.ok("STAT pop3.logins");
    assertEquals(await admin.list(), ["pop3.logins: 6"]);
  },
);
