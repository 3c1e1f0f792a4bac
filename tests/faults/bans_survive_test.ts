// A restart, or a kill, used to forget all bans: whoever could make the server restart guessed on.

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { type RunningProgram, runProgram, startProgram } from "../support/program.ts";

const FAILURES = 4;

async function start(folder: string): Promise<RunningProgram> {
  return await startProgram({
    maildir: join(folder, "mail"),
    users: { ann: "right" },
    state: join(folder, "postern.db"),
    flags: [
      ...["--auth-delay", "0", "--ban-failures", String(FAILURES), "--workers", "1"],
      ...["--proxy-protocol", "127.0.0.1"],
    ],
  });
}

/** Connects as from this address; returns the first line. */
async function greeted(program: RunningProgram, address: string): Promise<string> {
  using client = await program.connect();
  await client.send(`PROXY TCP4 ${address} 192.0.2.1 4000 110\r\n`);
  return await client.line();
}

async function guess(program: RunningProgram, address: string, times: number): Promise<void> {
  for (let guess = 0; guess < times; guess++) {
    using client = await program.connect();
    await client.send(`PROXY TCP4 ${address} 192.0.2.1 4000 110\r\n`);
    assertMatch(await client.line(), /^\+OK/);
    await client.ok("USER ann");
    assertMatch(await client.command(`PASS wrong ${guess}`), /^-ERR \[AUTH\]/);
  }
}

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  Deno.test(`a ban is still in force after a restart by ${signal}`, async () => {
    await using folder = await temporaryFolder();
    await makeMailbox(join(folder.path, "mail", "ann"), "maildir", [messageOfSize(300)]);
    {
      const program = await start(folder.path);
      await guess(program, "198.51.100.7", FAILURES);
      assertMatch(await greeted(program, "198.51.100.7"), /^-ERR/);
      await program.stop(signal);
    }
    await using program = await start(folder.path);
    assertMatch(await greeted(program, "198.51.100.7"), /^-ERR/);
    assertMatch(await greeted(program, "198.51.100.8"), /^\+OK/);
  });
}

Deno.test("a ban that UNBAN ended stays ended after a kill, and one by order stays in force", async () => {
  await using folder = await temporaryFolder();
  const state = join(folder.path, "postern.db");
  await makeMailbox(join(folder.path, "mail", "ann"), "maildir", [messageOfSize(300)]);
  const flags = ["--admin", "root:secret", "--proxy-protocol", "127.0.0.1", "--workers", "1"];
  const options = { maildir: join(folder.path, "mail"), users: { ann: "right" }, state, flags };
  const manage = async (program: RunningProgram, ...command: string[]): Promise<string> => {
    const port = `${program.port("msmp")}`;
    const args = ["admin", "-p", port, "-u", "root:secret", ...command];
    const { code, stdout, stderr } = await runProgram(args);
    assertEquals(code, 0, stderr);
    return stdout;
  };
  {
    const program = await startProgram(options);
    await manage(program, "ban", "198.51.100.0/24");
    await manage(program, "ban", "203.0.113.9");
    await manage(program, "unban", "203.0.113.9");
    await program.stop("SIGKILL");
  }
  await using program = await startProgram(options);
  const bans = await manage(program, "bans");
  assertMatch(bans, /198\.51\.100\.0\/24/);
  assertEquals(bans.includes("203.0.113.9"), false, bans);
  assertMatch(await greeted(program, "198.51.100.250"), /^-ERR/);
  assertMatch(await greeted(program, "203.0.113.9"), /^\+OK/);
});
