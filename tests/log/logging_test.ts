/** The log: formats, levels, hostile text, files that rotate, outputs that nobody reads. */

import { logRejected } from "../../lib/log/rejected_login.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { forwardLogging, logger, type LogLine, startLogging } from "../../lib/log/logging.ts";
import { FileOutput, LogFileError } from "../../lib/log/log_file.ts";
import type { LogOutput } from "../../lib/log/log_output.ts";
import { QueuedOutput } from "../../lib/log/log_queue.ts";

class Lines implements LogOutput {
  readonly all: string[] = [];
  write(line: string): void {
    this.all.push(line);
  }
  flush(): Promise<void> {
    return Promise.resolve();
  }
  flushSync(): void {}
  reopen(): void {}
  [Symbol.dispose](): void {}
}

Deno.test("a log quotes a client's words that could be taken for ours, behind what is ours", async () => {
  const output = new Lines();
  await using _log = startLogging({ level: "info", format: "text", output });
  const user = 'root from 203.0.113.9 was refused: "x"';
  logger("pop3").info("{user} logged in", { user, session: "17" });
  logger("pop3").info("A login", { user, session: "17" });
  logger("pop3").info("{user} logged in", { user: "ada@example.org" });
  assertEquals(output.all.map((line) => line.slice(24)), [
    'INFO  [pop3] "root from 203.0.113.9 was refused: ""x""" logged in session=17\n',
    'INFO  [pop3] A login session=17 user="root from 203.0.113.9 was refused: \\"x\\""\n',
    "INFO  [pop3] ada@example.org logged in\n",
  ]);
});

Deno.test("the line of a failed login cannot be ended or copied by a name", async () => {
  const output = new Lines();
  await using _log = startLogging({ level: "info", format: "text", output });
  const login = { address: "192.0.2.7", reason: "credentials" };
  for (const user of ["ada", "x> rip=<6.6.6.6> {address}\u2028%\\", "Grüße", "a".repeat(300)]) {
    logRejected({ user, ...login });
  }
  const named = output.all.map((line) => /user=<([^<>]*)> rip=<192\.0\.2\.7>/.exec(line)?.[1]);
  assertEquals(named, [
    "ada",
    "x%3e%20rip%3d%3c6.6.6.6%3e%20%7baddress%7d%e2%80%a8%25%5c",
    "Grüße",
    `${"a".repeat(200)}…`,
  ]);
  assertMatch(
    output.all[0] ?? "",
    /INFO {2}\[auth\] postern-auth: rejected user=<ada> rip=<192\.0\.2\.7> reason=credentials user=ada\n$/,
  );
});

Deno.test("a log in text keeps what a client sent on one line", async () => {
  const output = new Lines();
  await using _log = startLogging({ level: "info", format: "text", output });
  logger("pop3").info("{user} logged in", { user: "al\x1b[31mice\r\nX\u202e\x9b", session: "17" });
  assertEquals(output.all.length, 1);
  assertMatch(
    output.all[0] ?? "",
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO {2}\[pop3\] al\\x1b\[31mice\\x0d\\x0aX\\u202e\\x9b logged in session=17\n$/,
  );
});

Deno.test("a log in JSON has flat properties and survives names and values that do not fit", async () => {
  const output = new Lines();
  await using _log = startLogging({ level: "info", format: "json", output });
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  logger("a", "b").warning("said {what}\x7f", {
    what: "\x85\u{e0001}",
    time: 3,
    big: 2n ** 70n,
    nan: NaN,
    circle,
    error: new Error("no"),
  });
  const line = output.all[0] ?? "";
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(line));
  const read = JSON.parse(line);
  assertEquals(read.category, "a.b");
  assertEquals(read.level, "warning");
  assertEquals(read.message, "said \x85\u{e0001}\x7f");
  assertEquals(read.time_, 3);
  assertEquals(read.big, "1180591620717411303424");
  assertEquals(read.nan, "NaN");
  assertEquals(read.error.message, "no");
  assert(!Number.isNaN(Date.parse(read.time)));
});

Deno.test("a log cuts a value that is far too long", async () => {
  const output = new Lines();
  await using _log = startLogging({ level: "info", format: "json", output });
  logger("a").info("{text}", { text: "x".repeat(1_000_000) });
  assert((output.all[0] ?? "").length < 10_000);
});

Deno.test("a log chooses JSON for auto where standard error is no terminal", async () => {
  for (const [terminal, first] of [[true, "2"], [false, "{"]] as const) {
    const output = new Lines();
    await using _log = startLogging({ level: "info", format: "auto", terminal, output });
    logger("a").info("hello");
    assertEquals(output.all[0]?.[0], first);
  }
});

Deno.test("a log's level can be changed while it runs", async () => {
  const output = new Lines();
  await using log = startLogging({ level: "warning", format: "text", output });
  const pop3 = logger("pop3");
  pop3.info("one");
  log.setLevel("debug");
  pop3.debug("two");
  pop3.trace("three");
  log.setLevel("error");
  pop3.warn("four");
  assertEquals(log.level, "error");
  assertEquals(output.all.map((line) => line.trimEnd().split(" ").at(-1)), ["two"]);
});

Deno.test("audit lines are written once, whatever the level", async () => {
  for (const level of ["trace", "info", "error"] as const) {
    const output = new Lines();
    await using _log = startLogging({ level, format: "text", output });
    logger("audit").info("root set timeout");
    logger("other").debug("a detail");
    assertEquals(output.all.filter((line) => line.includes("timeout")).length, 1, level);
    assertEquals(
      output.all.filter((line) => line.includes("detail")).length,
      level === "trace" ? 1 : 0,
    );
  }
});

Deno.test("a forwarded line can be posted and is written by the log that accepts it", async () => {
  const sent: LogLine[] = [];
  const setLevel = forwardLogging("info", (line) => sent.push(structuredClone(line)));
  logger("worker").info("{n} sessions", { n: 3, hook: () => 1 });
  logger("worker").debug("hidden");
  setLevel("debug");
  logger("worker").debug("shown");
  const output = new Lines();
  await using log = startLogging({ level: "info", format: "text", output });
  for (const line of sent) log.accept(line);
  assertEquals(sent.length, 2);
  assertEquals(output.all.length, 1);
  assertMatch(output.all[0] ?? "", /\[worker\] 3 sessions hook="?\(\) ?=> ?1"?\n$/);
});

Deno.test("a log file rotates by size, keeps what it should, and is opened anew", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/postern.log`;
    {
      using file = new FileOutput(path, { maxOctets: 10, keep: 2 });
      for (let n = 1; n <= 5; n++) file.write(`line ${n}\n`);
      assertEquals(names(folder), ["postern.log", "postern.log.1", "postern.log.2"]);
      assertEquals(Deno.readTextFileSync(path), "line 5\n");
      assertEquals(Deno.readTextFileSync(`${path}.2`), "line 3\n");
      Deno.renameSync(path, `${folder}/away`);
      file.reopen();
      file.write("6\n");
      assertEquals(Deno.readTextFileSync(path), "6\n");
    }
    using again = new FileOutput(path, { maxOctets: 10, keep: 2 });
    again.write("7\n");
    assertEquals(Deno.readTextFileSync(path), "6\n7\n");
    again.write("eight\n9\n");
    assertEquals(Deno.readTextFileSync(path), "eight\n9\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a log file that cannot be opened is refused with a sentence", () => {
  assertThrows(
    () => startLogging({ level: "info", format: "json", file: "/nonexistent/x.log" }),
    LogFileError,
    "The log file /nonexistent/x.log cannot be opened",
  );
});

Deno.test("a log file that fails while it runs throws nothing and complains once", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const said: string[] = [];
    using file = new FileOutput(`${folder}/sub.log`, { complain: (text) => said.push(text) });
    await Deno.remove(folder, { recursive: true });
    file.reopen();
    file.write("lost\n");
    file.write("lost\n");
    await Deno.mkdir(folder);
    file.write("kept\n");
    assertEquals(Deno.readTextFileSync(`${folder}/sub.log`), "kept\n");
    assertEquals(said.length, 3);
    assertMatch(said[2] ?? "", /written again; 2 lines were lost/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a queue that nobody reads stays bounded and tells what was lost", async () => {
  let open = Promise.withResolvers<void>();
  let written = "";
  const decoder = new TextDecoder();
  const queue = new QueuedOutput({
    async write(bytes): Promise<number> {
      await open.promise;
      const n = Math.min(bytes.length, 50_000);
      written += decoder.decode(bytes.subarray(0, n));
      return n;
    },
    writeSync: () => 0,
  });
  const line = "x".repeat(999) + "\n";
  for (let n = 0; n < 3000; n++) queue.write(line);
  open.resolve();
  await queue.flush();
  assert(written.length < 1_300_000);
  assertMatch(written, /\(\d+ log lines were lost: nobody read them\)/);
  open = Promise.withResolvers<void>();
  open.resolve();
  queue.write("after\n");
  await queue.flush();
  assert(written.endsWith("after\n"));
});

Deno.test("a queue whose reader is gone throws nothing", async () => {
  const queue = new QueuedOutput({
    write: () => Promise.reject(new Deno.errors.BrokenPipe("gone")),
    writeSync: () => {
      throw new Deno.errors.BrokenPipe("gone");
    },
  });
  queue.write("a\n");
  await queue.flush();
  queue.write("b\n");
  queue.flushSync();
  await queue.flush();
});

Deno.test("the last lines before Deno.exit are not lost, in order", async () => {
  const module = new URL("../../lib/log/logging.ts", import.meta.url).href;
  const code = `import { logger, startLogging } from ${JSON.stringify(module)};
    startLogging({ level: "info", format: "json" });
    for (let n = 0; n < 500; n++) logger("x").info("{n}", { n });
    Deno.exit(3);`;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/log.ts`, code);
    const { code: status, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", "--no-lock", "--config", config, `${folder}/log.ts`],
      stdout: "null",
      stderr: "piped",
    }).output();
    assertEquals(status, 3);
    const lines = new TextDecoder().decode(stderr).trimEnd().split("\n");
    assertEquals(lines.map((line) => JSON.parse(line).n), Array.from({ length: 500 }, (_, n) => n));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

function names(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), (entry) => entry.name).sort();
}
