/** TRACE and `postern admin trace`: every command and answer, without secrets, audited, over once it is asked to be. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { Traces } from "../../lib/admin/traces.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { RunningProgram, spawnProgram, startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

const ROOT = ["--admin", "root:secret", "--admin-listen", "127.0.0.1", "--auth-delay", "0"];

/** An administrator who traces; `lines` are what was told, without time and session. */
async function trace(
  program: RunningProgram,
  words: string,
): Promise<{ admin: Pop3Client; lines: string[]; raw: string[]; ended: Promise<void> }> {
  const admin = await Pop3Client.connect({ port: program.port("msmp") });
  await admin.line();
  for (const line of ["USER root", "PASS secret", "MSMP 2"]) await admin.ok(line);
  await admin.ok(`TRACE ${words}`);
  const lines: string[] = [];
  const raw: string[] = [];
  const ended = (async () => {
    for (let line = await admin.line(); line !== "."; line = await admin.line()) {
      raw.push(line);
      lines.push(line.replace(/^[\d:.]{12} \S+ /, ""));
    }
  })();
  await eventually("its first line", () => lines.length > 0);
  return { admin, lines, raw, ended };
}

Deno.test("a trace shows commands and answers of one user, hides secrets, is audited and ends when asked", async () => {
  await using folder = await temporaryFolder();
  for (const user of ["ada", "bob"]) {
    await makeMailbox(join(folder.path, user), "maildir", [messageOfSize(300, "confidential")]);
  }
  await using program = await startProgram({
    maildir: folder.path,
    users: { ada: "hunter2", bob: "bob" },
    flags: [...ROOT, "--workers", "1"],
  });
  // A session that is open already is traced from now on.
  using early = await program.connect();
  await early.login("bob", "bob");
  const { admin, lines, raw, ended } = await trace(program, "ada");
  using _admin = admin;
  await early.ok("NOOP");
  {
    using client = await program.connect();
    await client.line();
    await client.command("hunter2");
    await client.ok("USER ada");
    await client.command("PASS wrong-hunter");
    await client.command(`AUTH PLAIN ${btoa("\0ada\0hunter2")}`);
    await client.command("UIDL");
    await client.list();
    await client.retrieve(1);
    await client.command("DELE 7");
    await client.ok("QUIT");
  }
  await eventually("the end", () => lines.includes("(ended: quit)"), () => lines.join("\n"));
  assertEquals(lines.filter((line) => !line.includes("maildrop")).slice(0, 5), [
    "(tracing the user ada; an empty line ends it)",
    "C: USER ada",
    "S: +OK send PASS",
    "C: PASS …",
    "S: -ERR [AUTH] Authentication failed",
  ]);
  assert(lines.includes("C: AUTH PLAIN …"), lines.join("\n"));
  assert(lines.includes("S: +OK 1 messages (300 octets)"));
  assertMatch(
    lines.join("\n"),
    /C: UIDL\nS: \+OK [^\n]*\nS: 1 \S+\nS: \.\nC: RETR 1\nS: \+OK 300 octets\nS: \(message, not shown\)\nC: DELE 7\nS: -ERR No such message/,
  );
  assert(!/hunter|confidential|bob/.test(raw.join("\n")), raw.join("\n"));
  assertMatch(raw[1]!, /^\d\d:\d\d:\d\d\.\d{3} \w+-\w+ C: USER ada$/);
  await admin.send("\r\n");
  await ended;
  await admin.ok("NOOP");
  const audit = (): string[] =>
    program.log.filter(({ message }) => /TRACE ada/.test(message)).map((line) =>
      line.message.replace(/^.*TRACE/, "TRACE")
    );
  await eventually("the audit of its end", () => audit().length > 1, () => program.stderr);
  assertEquals(audit(), ["TRACE ada: begun", "TRACE ada: ended"], program.stderr);
});

Deno.test("a trace of an address with bodies shows what was sent, line by line", async () => {
  await using folder = await temporaryFolder();
  await makeMailbox(join(folder.path, "ada"), "maildir", [messageOfSize(300, "in full")]);
  await using program = await startProgram({
    maildir: folder.path,
    users: { ada: "ada" },
    flags: ROOT,
  });
  const { admin, lines, ended } = await trace(program, "127.0.0.1 bodies");
  using _admin = admin;
  {
    using client = await program.connect();
    await client.login("ada", "ada");
    await client.retrieve(1);
  }
  await eventually("the end", () => lines.includes("(ended: client-gone)"), () => lines.join("\n"));
  assertMatch(
    lines.join("\n"),
    /C: RETR 1\nS: \+OK 300 octets\nS: From: a@example\.org\nS: Subject: in full\nS: \nS: x+\n/,
  );
  assertMatch(lines.join("\n"), /C: PASS …\nS: \+OK 1 messages/);
  await admin.send("\r\n");
  await ended;
});

Deno.test("postern admin trace shows it until Ctrl-C", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({
    maildir: folder.path,
    users: { ada: "ada" },
    flags: ROOT,
  });
  const tracing = new RunningProgram(
    spawnProgram(["admin", "-p", String(program.port("msmp")), "trace", "ada", "--bodies"], {
      POSTERN_ADMIN_LOGIN: "root:secret",
    }),
  );
  await eventually("its first line", () => tracing.stdout.includes("tracing the user ada"));
  {
    using client = await program.connect();
    await client.login("ada", "ada");
  }
  await eventually("an answer", () => /S: \+OK 0 messages/.test(tracing.stdout));
  await tracing.stop("SIGINT");
});

Deno.test("a trace ends by itself, and nobody is traced then", async () => {
  let changes = 0;
  const traces = new Traces({ canonical: (name) => name, changed: () => changes++, longest: 20 });
  const told = await Array.fromAsync(
    traces.open("ada", { bodies: false }, new AbortController().signal),
  );
  assertEquals(told.flat()[0], "(tracing the user ada; an empty line ends it)");
  assertMatch(told.flat().at(-1)!, /^\(ended: /);
  assertEquals([traces.targets, changes], [undefined, 2]);
});
