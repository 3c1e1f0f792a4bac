// A disk that fails beneath the state while the server runs: users hear that it may pass, administrators what is wrong, and then it goes on.

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { administrator, ROOT } from "../cores/support.ts";
import {
  ERRNO,
  FaultInjection,
  faultTest,
  startFaultyProgram,
} from "../support/fault_injection/fault_injection.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import {
  type LogLine,
  type ProgramOptions,
  type RunningProgram,
  runProgram,
  serveArguments,
  startProgram,
} from "../support/program.ts";
import { eventually } from "../support/waiting.ts";
import { base64 } from "../attacks/stage.ts";
import { account } from "../contracts/state_store_contract.ts";
import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";

/** No line of the log is an error that nothing caught, and none has a stack. */
function assertCalm(program: RunningProgram): void {
  const wrong = program.stderr.split("\n")
    .filter((line) => /Uncaught|panicked|"fatal"|"stack"/.test(line));
  assertEquals(wrong, []);
}

/** What the server says to a password. */
async function answerTo(program: RunningProgram, name: string, password: string): Promise<string> {
  using client = await program.connect();
  await client.line();
  await client.ok(`USER ${name}`);
  const answer = await client.command(`PASS ${password}`);
  await client.send("QUIT\r\n");
  await client.line();
  return answer;
}

for (
  const [what, fault, said] of [
    [
      "fails to write",
      { calls: ["write"], errno: ERRNO.EIO },
      /the disk failed, or a quota is used up/,
    ],
    [
      "fails to sync",
      { calls: ["fsync"], errno: ERRNO.EIO },
      /the disk failed, or a quota is used up/,
    ],
    ["has no quota left", { calls: ["write"], errno: ERRNO.EDQUOT }, /a quota is used up/],
    ["is full", { calls: ["write"], errno: ERRNO.ENOSPC }, /the disk is full/],
  ] as const
) {
  faultTest(
    `a server whose disk ${what} refuses changes with a sentence, and lets users in`,
    async () => {
      await using folder = await temporaryFolder();
      const [maildir, state] = [join(folder.path, "mail"), join(folder.path, "postern.db")];
      await Deno.mkdir(maildir);
      const options = { maildir, state, users: { ann: "x", bob: "y" }, flags: ROOT };
      {
        await using faulty = await startFaultyProgram(options);
        const { program, faults } = faulty;
        using admin = await administrator(program);
        assertEquals(await answerTo(program, "ann", "x"), "+OK 0 messages (0 octets)");
        await faults.set({ faults: [{ ...fault, path: "postern.db" }] });
        for (const [name, password] of Object.entries(options.users)) {
          assertEquals(await answerTo(program, name, password), "+OK 0 messages (0 octets)");
        }
        for (const change of ["ADD carol z", "SET timeout 700", "DELE ann"]) {
          const answer = await admin.command(change);
          assertMatch(answer, /^-ERR The state file [^\n]*Nothing was changed/, change);
          assertMatch(answer, said);
        }
        await admin.ok("LIST ann");
        assertMatch(await admin.line(), /^ann [12] logs$/);
        await faults.hit(fault.calls[0], "postern.db");
        await faults.clear();
        await admin.ok("ADD carol z");
        assertEquals(await answerTo(program, "carol", "z"), "+OK 0 messages (0 octets)");
        assertCalm(program);
      }
      await using program = await startProgram({ ...options, users: {} });
      for (const [name, password] of Object.entries({ ...options.users, carol: "z" })) {
        assertEquals(await answerTo(program, name, password), "+OK 0 messages (0 octets)");
      }
    },
  );
}

/** A state of more users than SQLite keeps in memory; those whose names come first were read first, and are forgotten. */
async function manyUsers(folder: string): Promise<ProgramOptions & { readonly state: string }> {
  const options = { maildir: join(folder, "mail"), state: join(folder, "postern.db") };
  await Deno.mkdir(options.maildir);
  await using state = await SqliteState.open({ path: options.state });
  await state.users.putAll(Array.from({ length: 40_000 }, (_, n) => account(nameOf(n))));
  return { ...options, users: { zoe: "x" }, flags: ROOT };
}

function nameOf(n: number): string {
  return `user${n}@a-domain-with-a-long-name.example.org`;
}

const FORGOTTEN = [nameOf(12_000), nameOf(13_000), nameOf(14_000)] as const;

async function refusedForNow(program: RunningProgram): Promise<void> {
  const [one, two, three] = FORGOTTEN;
  assertMatch(await answerTo(program, one, "x"), /^-ERR \[SYS\/TEMP\]/);
  for (
    const line of [
      `AUTH PLAIN ${base64(`\0${two}\0x`)}`,
      `AUTH SCRAM-SHA-256 ${base64(`n,,n=${three},r=abcdefgh`)}`,
    ]
  ) {
    using client = await program.connect();
    await client.line();
    assertMatch(await client.command(line), /^-ERR \[SYS\/TEMP\]/, line);
    await client.ok("CAPA");
  }
}

function saidUncheckable(program: RunningProgram): readonly LogLine[] {
  return program.log.filter(({ message }) => message.startsWith("Logins cannot be checked: "));
}

faultTest(
  "a server whose state cannot be read says that it may pass, by every mechanism",
  async () => {
    await using folder = await temporaryFolder();
    await using faulty = await startFaultyProgram(await manyUsers(folder.path));
    const { program, faults } = faulty;
    await faults.set({ faults: [{ calls: ["read"], path: "postern.db", errno: ERRNO.EIO }] });
    await refusedForNow(program);
    await faults.hit("read", "postern.db");
    await faults.clear();
    assertEquals(await answerTo(program, "zoe", "x"), "+OK 0 messages (0 octets)");
    for (const name of FORGOTTEN) assertMatch(await answerTo(program, name, "x"), /^-ERR \[AUTH\]/);
    await eventually(
      "word that logins can be checked again",
      () => program.log.some(({ message }) => message === "Logins can be checked again"),
      () => program.stderr,
    );
    assertEquals(saidUncheckable(program).length, 1, program.stderr);
    assertCalm(program);
  },
);

Deno.test("a server whose state is damaged while it runs says so, and serves whom it can", async () => {
  await using folder = await temporaryFolder();
  const options = await manyUsers(folder.path);
  await using program = await startProgram(options);
  using admin = await administrator(program);
  assertEquals(await answerTo(program, "zoe", "x"), "+OK 0 messages (0 octets)");
  const { size } = await Deno.stat(options.state);
  {
    using file = await Deno.open(options.state, { write: true });
    await file.seek(8192, Deno.SeekMode.Start);
    await file.write(new Uint8Array(size - 8192).fill(0xa5));
  }
  await refusedForNow(program);
  assertEquals(await answerTo(program, "zoe", "x"), "+OK 0 messages (0 octets)");
  assertMatch(
    await admin.command(`DELE ${FORGOTTEN[0]}`),
    /^-ERR The state file [^\n]* is damaged/,
  );
  const [said, ...more] = saidUncheckable(program);
  assertMatch(
    said?.message ?? "",
    /is damaged, or its disk cannot read it\. .*postern restore FILE/,
  );
  assertEquals(more, []);
  assertCalm(program);
  await program.stop("SIGKILL");
  const { code, stderr } = await runProgram(serveArguments(options));
  assertEquals(code, 1);
  assertMatch(stderr, /^postern: The state file [^\n]* is damaged[^\n]*\n$/);
});

faultTest(
  "a start from a disk that cannot read the state says that the disk fails, and keeps the state",
  async () => {
    await using folder = await temporaryFolder();
    const options = await manyUsers(folder.path);
    const before = await Deno.readFile(options.state);
    await using faults = await FaultInjection.make({
      faults: [{ calls: ["read"], path: "postern.db", errno: ERRNO.EIO, after: 20 }],
    });
    for (const flags of [[], ["--new-state"]]) {
      const args = [...serveArguments(options), ...flags];
      const { code, stderr } = await runProgram(args, { env: faults.env });
      assertEquals(code, 1);
      assertMatch(
        stderr,
        /^postern: The state file [^\n]*(input\/output error|disk failed)[^\n]*\n$/,
      );
    }
    assertEquals(await Deno.readFile(options.state), before);
  },
);
