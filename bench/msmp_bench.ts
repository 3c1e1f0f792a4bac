// Management commands a second on one connection while 100 POP3 sessions run: `deno run -P=server bench/msmp_bench.ts [SECONDS]`
// deno-lint-ignore-file no-console -- it prints its figures

import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../tests/support/mailboxes.ts";
import { Pop3Client } from "../tests/support/pop3_client.ts";
import { startProgram } from "../tests/support/program.ts";

const SESSIONS = 100;
/** Commands of a POP3 session, and how long, in milliseconds, its user takes between two. */
const COMMANDS = 50;
const THINKING_MS = 20;
/** Management commands that are sent before the first answer is read, where they are pipelined. */
const PIPELINE = 50;

type Rate = readonly [name: string, line: (count: number) => string, lines: boolean];

const RATES: readonly Rate[] = [
  ["NOOP", () => "NOOP", false],
  ["GET", () => "GET timeout", false],
  ["STAT", () => "STAT", true],
  ["LIST <user>", (count) => `LIST user${count % SESSIONS}`, true],
  ["SESSIONS", () => "SESSIONS", true],
  ["SET", (count) => `SET max_users ${1000 + count}`, false],
  ["ADD", (count) => `ADD new${count} p`, false],
];

/** A POP3 client that logs in, says its commands and quits, over and over; counts what it said in `told`. */
async function readMail(port: number, user: string, told: { commands: number }): Promise<never> {
  for (;;) {
    using client = await Pop3Client.connect({ port });
    await client.login(user, "p");
    for (let command = 0; command < COMMANDS; command += 2) {
      await client.ok("LIST");
      await client.list();
      await client.retrieve(1);
      told.commands += 2;
      await new Promise((resolve) => setTimeout(resolve, 2 * THINKING_MS));
    }
    await client.ok("QUIT");
  }
}

/** The other process: reads mail until it is ended, and tells how much it does. */
async function readers(port: number): Promise<void> {
  const told = { commands: 0 };
  setInterval(() => {
    console.log(told.commands);
    told.commands = 0;
  }, 1000);
  await Promise.all(
    Array.from({ length: SESSIONS }, (_, index) => readMail(port, `user${index}`, told)),
  );
}

/** Says commands for so many seconds, waiting for each answer or for those of a whole pipeline. */
async function rate(
  admin: Pop3Client,
  [, line, lines]: Rate,
  { together, seconds }: { together: number; seconds: number },
): Promise<number> {
  const begun = performance.now();
  let count = 0;
  while (performance.now() - begun < seconds * 1000) {
    const commands = Array.from({ length: together }, () => `${line(count++)}\r\n`);
    await admin.send(commands.join(""));
    for (const command of commands) {
      const first = await admin.line();
      if (!first.startsWith("+OK")) throw new Error(`${command} was answered ${first}`);
      if (lines) await admin.list();
    }
  }
  return Math.round(count / ((performance.now() - begun) / 1000));
}

async function measure(seconds: number): Promise<void> {
  await using folder = await temporaryFolder();
  const maildir = join(folder.path, "mail");
  const users = Array.from({ length: SESSIONS }, (_, index) => `user${index}`);
  for (const user of users) {
    await makeMailbox(join(maildir, user), "maildir", [messageOfSize(2000), messageOfSize(2000)]);
  }
  await using program = await startProgram({
    maildir,
    state: join(folder.path, "state.db"),
    users: Object.fromEntries(users.map((user) => [user, "p"])),
    flags: ["--admin", "root:secret", "--no-flag-updates"],
  });
  using admin = await Pop3Client.connect({ port: program.port("msmp") });
  await admin.login("root", "secret");
  await admin.ok("MSMP 2");
  const others = new Deno.Command(Deno.execPath(), {
    args: ["run", "-P=server", import.meta.filename!, "readers", String(program.port())],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reports = new Response(others.stdout).text();
  try {
    // Their first logins are the dear ones.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    console.log(`On one connection, while ${SESSIONS} POP3 sessions run, commands a second:`);
    for (const row of RATES) {
      const single = await rate(admin, row, { together: 1, seconds });
      const pipelined = await rate(admin, row, { together: PIPELINE, seconds });
      const figures = [single, pipelined].map((figure) => String(figure).padStart(7));
      console.log(`${row[0].padEnd(12)}${figures[0]} one by one${figures[1]} by ${PIPELINE}`);
    }
  } finally {
    others.kill();
    await others.status;
  }
  const counts = (await reports).trim().split("\n").map(Number).slice(2);
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  console.log(`POP3 commands a second meanwhile: ${Math.round(mean)}`);
}

if (Deno.args[0] === "readers") await readers(Number(Deno.args[1]));
else await measure(Number(Deno.args[0] ?? 2));
