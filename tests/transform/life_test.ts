// What becomes of programs when clients leave, settings change and the server ends: on the started program.
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "node:path";
import { messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { runProgram, serveArguments } from "../support/program.ts";
import { runningFor } from "./processes.ts";
import { eventually } from "../support/waiting.ts";
import { LETTER, serve, type Served } from "./served.ts";

const BIG = messageOfSize(16_000_000);
const PATIENT = 60;

/** Asks for the first message and waits until its program runs. */
async function begin(served: Served, user: string): Promise<Pop3Client> {
  const client = await served.login(user);
  await client.send("RETR 1\r\n");
  await eventually(
    `a program runs for ${user}`,
    async () => (await runningFor(served.name(user))).length > 0,
  );
  return client;
}

Deno.test("a client that goes away takes its program with it, whatever that is at", async () => {
  await using served = await serve({
    scripts: {
      waiting: "exec sleep 60",
      stubborn: `trap "" TERM; while :; do sleep 60; done`,
      pausing: "head -c 9; exec sleep 60",
      leaving: "head -c 9; exec sleep 60",
      streaming: "exec yes",
      forked: "sleep 60 & sleep 60 & wait",
    },
    timeout: PATIENT,
    flags: ["--max-transformers", "20"],
  });
  for (const user of ["waiting", "stubborn", "pausing", "forked"]) {
    using _client = await begin(served, user);
  }
  {
    using client = await begin(served, "streaming");
    await client.exactly(5_000_000);
  }
  await served.nothingLeft("streaming");
  {
    // One that has read all that has come.
    using client = await begin(served, "leaving");
    assertEquals(await client.line(), "+OK message follows");
    await client.exactly(5);
  }
  {
    // One that reads nothing at all.
    using _client = await begin(served, "streaming");
  }
  await served.nothingLeft("waiting", "stubborn", "pausing", "leaving", "forked", "streaming");
  await eventually(
    "the runs are counted as cancelled",
    async () => await served.count("pop3_transformer_failures_total", '{reason="cancelled"}') === 7,
  );
  // That a client leaves is nobody's fault.
  const { log } = served.program;
  assertEquals(log.filter(({ level }) => /^(warn|err)/i.test(level)), []);
  const ended = log.filter(({ properties }) => properties.category === "access");
  assertEquals(ended.map(({ properties }) => properties.ending), Array(7).fill("client-gone"));
});

Deno.test("whoever waits for a turn is served in the end, is not idle, and starts nothing after leaving", async () => {
  await using served = await serve({
    scripts: {
      slow: "sleep 1.4; exec cat",
      leaver: "exec cat",
      waiter: "exec cat",
      more: "exec cat",
    },
    timeout: PATIENT,
    flags: ["--max-transformers", "1", "--timeout", "1"],
  });
  using slow = await begin(served, "slow");
  using leaver = await served.login("leaver");
  using waiter = await served.login("waiter");
  await leaver.send("RETR 1\r\n");
  await waiter.send("RETR 1\r\n");
  leaver[Symbol.dispose]();
  await eventually(
    "the end of the session that has left",
    () => served.program.log.some(({ properties }) => properties.category === "access"),
  );
  for (const client of [slow, waiter]) {
    assertEquals(await client.line(), "+OK message follows");
    assertEquals(await client.multiline(), LETTER);
  }
  await served.nothingLeft("slow", "leaver", "waiter");
  await eventually(
    "two runs are counted",
    async () => await served.count("pop3_transformer_runs_total") === 2,
  );
});

Deno.test("a higher max_transformers lets those through who wait", async () => {
  await using served = await serve({
    scripts: { first: "exec sleep 60", second: "exec cat" },
    timeout: PATIENT,
    flags: ["--max-transformers", "1"],
  });
  using _first = await begin(served, "first");
  using second = await served.login("second");
  await second.send("RETR 1\r\n");
  using admin = await served.manage();
  assertMatch(await admin.command("SET max_transformers 2"), /^\+OK/);
  assertEquals(await second.line(), "+OK message follows");
  assertEquals(await second.multiline(), LETTER);
});

Deno.test("a program is not silent while the client takes nothing", async () => {
  await using served = await serve({
    scripts: { ann: "cat; sleep 0.5; echo end" },
    mail: { ann: [BIG] },
    timeout: 3,
  });
  using client = await begin(served, "ann");
  // Longer than transformer_timeout, in real time; a busy machine makes it longer still.
  await new Promise((resolve) => setTimeout(resolve, 3300));
  await client.line();
  assertEquals((await client.multiline()).length, BIG.length + "end\r\n".length);
});

Deno.test("SET changes the program for sessions to come, and a restart keeps it", async () => {
  await using folder = await temporaryFolder();
  const state = join(folder.path, "state.db");
  const mail = { old: [LETTER], young: [LETTER] };
  const scripts = { old: "echo first; sleep 1; exec cat" };
  {
    await using served = await serve({ mail, scripts, state, timeout: PATIENT });
    using admin = await served.manage();
    assertMatch(await admin.command("SET transformer no-such-program"), /^-ERR .*no-such-program/);
    assertMatch(await admin.command(`SET transformer sed "s/a/b/`), /^-ERR .*quote is not closed/);
    using old = await begin(served, "old");
    assertMatch(
      await admin.command(`SET transformer sed -e 's/^One/ & big/' -e "s/e/E/2"`),
      /^\+OK/,
    );
    using young = await served.login("young");
    await young.ok("RETR 1");
    assertEquals(text(await young.multiline()), "Subject: hEllo\r\n\r\n One big linE.\r\n");
    assertMatch(await admin.command("SET transformer none"), /^\+OK/);
    await young.ok("QUIT");
    using newest = await served.login("young");
    assertEquals(await newest.command("RETR 1"), `+OK ${LETTER.length} octets`);
    await newest.multiline();
    assertEquals(await old.line(), "+OK message follows");
    assertEquals(text(await old.multiline()), `first\r\n${text(LETTER)}`);
    assertMatch(await admin.command("SET transformer tr a-z A-Z"), /^\+OK/);
  }
  await using served = await serve({ mail, state, transformer: null });
  using client = await served.login("young");
  await client.ok("RETR 1");
  assertEquals(text(await client.multiline()), text(LETTER).toUpperCase());
});

Deno.test("a transformer that cannot be is refused in words that can be read", async () => {
  await using served = await serve({ mail: { ann: [LETTER] } });
  using admin = await served.manage();
  const refusal = /^-ERR Invalid value: expected a program that can be run, or none\. /;
  for (const command of ["no-such-program", `"open`, "''", "/etc"]) {
    const answer = await admin.command(`SET transformer ${command}`);
    assertMatch(answer, refusal);
    assertMatch(answer.replace(refusal, ""), /^(The transformer|A double quote|No program) /);
  }
});

Deno.test("a run that ends after SET has changed the program is counted", async () => {
  await using served = await serve({
    scripts: { ann: `trap "" TERM; while :; do sleep 60; done` },
    flags: ["--max-transformers", "20"],
    timeout: 1,
  });
  using client = await served.login("ann");
  assertMatch(await client.command("RETR 1"), /^-ERR \[SYS\/TEMP\] /);
  await client.ok("QUIT");
  using admin = await served.manage();
  assertMatch(await admin.command("SET transformer none"), /^\+OK/);
  await eventually(
    "the run is counted as timed out",
    async () => await served.count("pop3_transformer_failures_total", '{reason="timeout"}') === 1,
  );
  assertEquals(await served.count("pop3_transformer_runs_total"), 1);
  await served.nothingLeft("ann");
});

Deno.test("--allow-transformer narrows what may be set", async () => {
  await using served = await serve({
    mail: { ann: [LETTER] },
    transformer: "cat",
    flags: ["--allow-transformer", "cat", "--allow-transformer", "tr"],
  });
  using admin = await served.manage();
  assertMatch(await admin.command("SET transformer tr a-z A-Z"), /^\+OK/);
  assertMatch(
    await admin.command("SET transformer sed s/a/b/"),
    /^-ERR .*--allow-transformer.*cat/,
  );
  const fake = join(served.folder, "cat");
  await Deno.writeTextFile(fake, "#!/bin/sh\necho evil\n", { mode: 0o755 });
  assertMatch(await admin.command(`SET transformer ${fake}`), /^-ERR /);
  using client = await served.login("ann");
  await client.ok("RETR 1");
  assertEquals(text(await client.multiline()), text(LETTER).toUpperCase());
  // The same program by its path.
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "command -v tr"] }).output();
  assertMatch(await admin.command(`SET transformer ${text(stdout).trim()} a-z b`), /^\+OK/);
});

Deno.test("the program is refused at the start when it cannot be run, or may not", async () => {
  await using folder = await temporaryFolder();
  for (
    const flags of [
      ["--transformer", "no-such-program"],
      ["--transformer", "cat", "--allow-transformer", "sed"],
    ]
  ) {
    const { code, stderr } = await runProgram(serveArguments({ maildir: folder.path, flags }));
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /no-such-program|allow-transformer/);
  }
});

Deno.test("a program named with a slash is relative to where the server was started", async () => {
  await using served = await serve({
    mail: { ann: [LETTER] },
    transformer: "docs/../lib/../tests/transform/shout.sh",
  });
  using client = await served.login("ann");
  await client.ok("RETR 1");
  assertEquals(text(await client.multiline()), text(LETTER).toUpperCase());
});

Deno.test("SIGTERM lets programs finish, and ends at the grace's end those that do not", async () => {
  await using served = await serve({
    scripts: { ann: "sleep 0.5; exec cat", ben: "exec sleep 60" },
    timeout: PATIENT,
    flags: ["--grace", "2", "--max-transformers", "20"],
  });
  using ann = await begin(served, "ann");
  using ben = await begin(served, "ben");
  served.program.signal("SIGTERM");
  assertEquals(await ann.line(), "+OK message follows");
  assertEquals(await ann.multiline(), LETTER);
  assertMatch(await ann.command("QUIT"), /^\+OK /);
  await assertRejects(() => ben.line(), Error, "ended");
  const { code } = await served.program.ended();
  assertEquals(code, 0);
});

Deno.test("a second signal ends the programs at once", async () => {
  await using served = await serve({
    scripts: { ann: `trap "" TERM; while :; do sleep 60; done`, ben: "head -c 3; exec sleep 60" },
    timeout: PATIENT,
    flags: ["--max-transformers", "20"],
  });
  using _ann = await begin(served, "ann");
  using _ben = await begin(served, "ben");
  served.program.signal("SIGTERM");
  await eventually(
    "the server has heard",
    () => served.program.log.some(({ message }) => /^Shutting down/.test(message)),
  );
  served.program.signal("SIGTERM");
  await served.program.ended();
});

function text(octets: Uint8Array): string {
  return new TextDecoder("latin1").decode(octets);
}
