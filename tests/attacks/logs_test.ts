// What clients say never reaches a log raw, and secrets do not reach it at all.
import { assert, assertEquals } from "@std/assert";
import { temporaryFolder } from "../support/mailboxes.ts";
import { RunningProgram, serveArguments, spawnProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";
import { base64, drain, pour, startStage, USERS } from "./stage.ts";

/** A name full of what terminals, log readers and JSON act on; no line end, which no name can hold in USER. */
const HOSTILE =
  '\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.exe\u2028{"level":"error","message":"forged"}\t\x7f\\';

const SECRET = "s3cret-in-the-log";

/** Says all of it in places where logs could pick it up. */
async function sayIt(port: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const lines = [
    `USER ${HOSTILE}`,
    `PASS ${SECRET}`,
    `AUTH PLAIN ${base64(`\0${HOSTILE}\r\nforged line\r\n\0${SECRET}`)}`,
    // In a pattern, a dot means neither of these line ends.
    `AUTH PLAIN \r${SECRET}`,
    `AUTH PLAIN x\u2028${SECRET}`,
    `${HOSTILE} command`,
    `LANG ${HOSTILE}`,
    "USER alice",
    `PASS ${USERS.alice}`,
    `RETR ${HOSTILE}`,
    "QUIT",
  ];
  await pour(conn, lines.map((line) => `${line}\r\n`).join(""));
  assert(new TextDecoder().decode(await drain(conn)).endsWith("messages left\r\n"));
}

function requireHarmless(log: string): void {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]/.exec(log), null, log);
  for (const secret of [SECRET, USERS.alice, base64(`\0alice\0${USERS.alice}`)]) {
    assert(!log.includes(secret), `${secret} is in the log`);
  }
  assert(log.includes("gnp.exe"), "at this level the name is to be seen somewhere");
}

Deno.test("logs: in JSON, controls and escapes of clients stand escaped, one line an event", async () => {
  await using stage = await startStage({ flags: ["--log-level", "trace"] });
  await sayIt(stage.program.port());
  const { stderr } = await stage.program.stop();
  requireHarmless(stderr);
  for (const line of stderr.split("\n").filter((line) => line.startsWith("{"))) {
    assert(JSON.parse(line).level !== "error", line);
  }
});

Deno.test("logs: in text, controls and escapes of clients stand visible, one line an event", async () => {
  await using folder = await temporaryFolder();
  using free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr;
  free.close();
  const args = serveArguments({
    maildir: folder.path,
    users: USERS,
    flags: ["--log-level", "trace", "--auth-delay", "0"],
  });
  args[args.indexOf("json")] = "text";
  args[args.indexOf("--port") + 1] = String(port);
  await using program = new RunningProgram(spawnProgram(args));
  await eventually("the program being ready", () => / ready/.test(program.stderr));
  await sayIt(port);
  const { stderr } = await program.stop();
  requireHarmless(stderr);
  for (const line of stderr.split("\n").filter((line) => /forged|gnp/.test(line))) {
    assert(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (TRACE|DEBUG|INFO|WARN)/.test(line), line);
  }
});

Deno.test("logs: a client cannot make the log grow faster than it sends", async () => {
  await using stage = await startStage({ tls: false, flags: ["--max-bad-commands", "100000"] });
  const before = stage.program.stderr.length;
  using conn = await stage.raw();
  const answers = drain(conn);
  await pour(conn, `${"\x1b".repeat(200)}\r\n`.repeat(5000));
  await pour(conn, "QUIT\r\n");
  await answers;
  assert(stage.program.stderr.length - before < 10_000, stage.program.stderr.slice(-2000));
});
