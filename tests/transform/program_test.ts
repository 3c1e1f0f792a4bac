// Every row of pop3.md, "Transformer", on the started program over a socket.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { stuffedForm, wireForm } from "../support/awkward_messages.ts";
import { messageOfSize } from "../support/mailboxes.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { eventually } from "../support/waiting.ts";
import { LETTER, serve, type Served, type ServedOptions } from "./served.ts";

const BIG = messageOfSize(3_000_000);
const decode = (octets: Uint8Array): string => new TextDecoder("latin1").decode(octets);

/** One program for the rows of a table: each row has a user of its own, and they run side by side. */
async function rows<T extends { readonly name: string }>(
  t: Deno.TestContext,
  options: ServedOptions,
  table: readonly T[],
  row: (row: T, client: Pop3Client, served: Served) => Promise<void>,
): Promise<Served> {
  await using stack = new AsyncDisposableStack();
  const served = stack.use(await serve(options));
  await Promise.all(table.map((one) =>
    t.step({
      name: one.name,
      sanitizeOps: false,
      sanitizeResources: false,
      sanitizeExit: false,
      fn: async () => {
        using client = await served.login(one.name);
        await row(one, client, served);
        await client.ok("NOOP");
        assertMatch(await client.command("QUIT"), /^\+OK /);
        await client.ended();
        await served.nothingLeft(one.name);
      },
    })
  ));
  stack.move();
  return served;
}

/** transformer_timeout in seconds where some programs are to exceed it and others, on a busy machine, are not. */
const SHORT = 4;

/** Programs that fail before their first output, why, and what they do. */
const FAILING = [
  { name: "false", reason: "exit-status", script: "exec false" },
  { name: "true", reason: "no-output", script: "exec true" },
  { name: "sleep", reason: "timeout", script: "exec sleep 60" },
  { name: "stderr", reason: "timeout", script: "exec yes >&2" },
  {
    name: "stubborn",
    reason: "timeout",
    script: `trap "" TERM; while :; do sleep 1; done`,
  },
  { name: "child", reason: "exit-status", script: "sleep 60 & exit 1" },
  { name: "killed", reason: "exit-status", script: "kill -KILL $$" },
  { name: "swallow", reason: "no-output", script: "cat >/dev/null" },
] as const;

const scriptsOf = (
  table: readonly { readonly name: string; readonly script: string }[],
): Record<string, string> => Object.fromEntries(table.map(({ name, script }) => [name, script]));

Deno.test("a program that fails before its first output is answered with an error, and the session goes on", async (t) => {
  const flags = ["--max-transformers", "20"];
  const options = { scripts: scriptsOf(FAILING), flags, timeout: SHORT };
  await using served = await rows(t, options, FAILING, async (row, client) => {
    assertMatch(
      await client.command(row.reason === "no-output" ? "TOP 1 0" : "RETR 1"),
      /^-ERR \[SYS\/TEMP\] Message 1 cannot be filtered now, try again later \(session [\w-]+\)$/,
    );
  });
  await eventually(
    "all runs are counted",
    async () => await served.count("pop3_transformer_runs_total") === FAILING.length,
  );
  for (const reason of ["exit-status", "no-output", "timeout"]) {
    const expected = FAILING.filter((row) => row.reason === reason).length;
    const label = `{reason="${reason}"}`;
    assertEquals(await served.count("pop3_transformer_failures_total", label), expected, reason);
  }
  assertEquals(
    served.program.log.filter(({ message, level }) =>
      /^warn/i.test(level) && message.includes("failed 5 times in a row")
    ).length,
    1,
    "a transformer that keeps failing is said once",
  );
});

Deno.test("a program that fails before its first output is passed by where the server is told so", async (t) => {
  const table = [...FAILING, { name: "late", script: "head -c 5000; exit 1" }];
  const options = {
    scripts: scriptsOf(table),
    flags: ["--transformer-failure", "bypass", "--max-transformers", "20"],
    mail: { late: [BIG] },
    timeout: SHORT,
  };
  await using served = await rows(t, options, FAILING, async (row, client) => {
    const top = row.reason === "no-output";
    assertEquals(await client.command(top ? "TOP 1 0" : "RETR 1"), "+OK message follows");
    const expected = top ? "Subject: hello\r\n\r\n" : decode(LETTER);
    assertEquals(decode(await client.multiline()), expected);
  });
  using client = await served.login("late");
  await client.ok("RETR 1");
  await assertRejects(() => client.multiline(), Error, "before the terminator");
});

Deno.test("what a program makes of a message reaches the client, whatever else it does", async (t) => {
  const table = [
    { name: "head", script: "exec head -c 1000", makes: BIG.slice(0, 1000) },
    { name: "unread", script: "echo done", makes: "done\r\n" },
    { name: "first", script: "echo X-First: yes; exec cat", makes: ["X-First: yes\r\n", BIG] },
    { name: "noise", script: "yes | head -c 5000000 >&2; exec cat", makes: BIG },
    { name: "forks", script: "sleep 60 & exec cat", makes: BIG },
    { name: "quiet", script: "sleep 60 </dev/null >/dev/null 2>&1 & exec cat", makes: BIG },
    { name: "devices", script: "exec cat /dev/stdin >/dev/stdout", makes: BIG },
    { name: "twice", script: "head -c 100; exec cat", makes: BIG },
    { name: "dots", script: `printf '.\\n..\\n.'`, makes: ".\r\n..\r\n.\r\n" },
    {
      name: "slow",
      script: "for i in 1 2 3; do sleep 0.5; echo $i; done",
      makes: "1\r\n2\r\n3\r\n",
    },
    { name: "awk", script: `exec awk '{ print "> " $0 }'`, makes: undefined },
    { name: "gzip", script: "exec gzip -nc", makes: undefined },
    {
      name: "whose",
      script: "env | sort | grep -v -e ^PATH= -e ^PWD= -e ^_= -e ^SHLVL=",
      makes: undefined,
    },
  ] as const;
  const mail = Object.fromEntries(table.map(({ name }) => [name, [BIG]]));
  const options = { scripts: scriptsOf(table), mail, flags: ["--max-transformers", "20"] };
  await using served = await rows(
    t,
    options,
    table,
    async ({ name, makes }, client, { name: full }) => {
      await client.ok("UIDL 1");
      assertEquals(await client.command("RETR 1"), "+OK message follows");
      const sent = await client.multilineSent();
      if (name === "gzip") {
        assertEquals(sent, stuffedForm(await output("gzip", ["-nc"], BIG)));
      } else if (name === "awk") {
        const lines = decode(BIG).split("\r\n").slice(0, -1);
        assert(decode(sent) === `${lines.map((line) => `> ${line}\r\n`).join("")}.\r\n`);
      } else if (name === "whose") {
        assertMatch(
          decode(sent),
          /^POSTERN_CLIENT=127\.0\.0\.1\r\nPOSTERN_UIDL=\S+\r\nPOSTERN_USER=whose-\w+\r\n\.\r\n$/,
        );
        assert(decode(sent).includes(`POSTERN_USER=${full("whose")}\r\n`));
      } else {
        const parts = [makes].flat(1) as (string | Uint8Array<ArrayBuffer>)[];
        const whole = new Uint8Array(await new Blob(parts).arrayBuffer());
        assert(decode(sent) === decode(stuffedForm(wireForm(whole))), decode(sent.slice(0, 200)));
      }
    },
  );
  assertEquals(await served.count("pop3_transformer_failures_total"), 0);
});

Deno.test("a program that fails after output has the connection closed without the terminator", async () => {
  const table = [
    { name: "status", reason: "exit-status", script: "head -c 100000; exit 3" },
    { name: "tiny", reason: "exit-status", script: "printf x; exit 3" },
    { name: "signal", reason: "exit-status", script: "cat; kill -KILL $$" },
    { name: "silent", reason: "timeout", script: "head -c 100; exec sleep 60" },
    { name: "whole", reason: "exit-status", script: "printf 'a\\r\\n.\\r\\n'; exit 1" },
  ] as const;
  const mail = Object.fromEntries(table.map(({ name }) => [name, [BIG]]));
  await using served = await serve({
    scripts: scriptsOf(table),
    mail,
    flags: ["--max-transformers", "20"],
    timeout: SHORT,
  });
  await Promise.all(table.map(async ({ name }) => {
    using client = await served.login(name);
    await client.send("RETR 1\r\nNOOP\r\n");
    assertEquals(await client.line(), "+OK message follows", name);
    await assertRejects(() => client.multiline(), Error, "before the terminator");
    await served.nothingLeft(name);
  }));
  for (const reason of ["exit-status", "timeout"]) {
    await eventually(
      `the failures by ${reason} are counted`,
      async () =>
        await served.count("pop3_transformer_failures_total", `{reason="${reason}"}`) ===
          table.filter((row) => row.reason === reason).length,
    );
  }
  // Nothing was marked seen, and the messages are there.
  using client = await served.login("status");
  assertEquals(await client.command("STAT"), `+OK 1 ${BIG.length}`);
});

Deno.test("sizes are the stored message's, but RETR names none, and TOP ends the program early without a failure", async () => {
  await using served = await serve({
    scripts: { endless: "echo Subject: x; echo; exec yes", empty: "exec true", twice: "exec cat" },
    mail: { endless: [LETTER], empty: [new Uint8Array()], twice: [BIG, LETTER] },
  });
  using endless = await served.login("endless");
  assertEquals(await endless.command("LIST 1"), `+OK 1 ${LETTER.length}`);
  for (const lines of [0, 3, 3]) {
    assertEquals(await endless.command(`TOP 1 ${lines}`), "+OK message follows");
    assertEquals(decode(await endless.multiline()), `Subject: x\r\n\r\n${"y\r\n".repeat(lines)}`);
  }
  using empty = await served.login("empty");
  assertEquals(await empty.command("RETR 1"), "+OK message follows");
  assertEquals(decode(await empty.multiline()), "\r\n");
  using twice = await served.login("twice");
  await twice.send("RETR 2\r\nTOP 1 99999999\r\nRETR 1\r\nQUIT\r\n");
  for (const expected of [LETTER, BIG, BIG]) {
    assertEquals(await twice.line(), "+OK message follows");
    assert(decode(await twice.multiline()) === decode(expected));
  }
  assertMatch(await twice.line(), /^\+OK /);
  await served.nothingLeft("endless", "empty", "twice");
  await eventually(
    "all runs are counted",
    async () => await served.count("pop3_transformer_runs_total") === 7,
  );
  assertEquals(await served.count("pop3_transformer_failures_total"), 0);
});

Deno.test("a program that is gone is a failure of its own, and a message that is gone starts none", async () => {
  await using served = await serve({ mail: { ann: [LETTER, LETTER] } });
  using client = await served.login("ann");
  const folder = `${served.folder}/mail/${served.name("ann")}/new`;
  const [first] = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  await Deno.remove(`${folder}/${first}`);
  assertEquals(
    await client.command("RETR 1"),
    "-ERR Message 1 was removed by another program",
  );
  await Deno.rename(served.dispatcher, `${served.dispatcher}.gone`);
  assertMatch(await client.command("RETR 2"), /^-ERR \[SYS\/TEMP\] /);
  await Deno.rename(`${served.dispatcher}.gone`, served.dispatcher);
  await client.ok("RETR 2");
  assertEquals(decode(await client.multiline()), decode(LETTER));
  await eventually(
    "the runs are counted",
    async () => await served.count("pop3_transformer_runs_total") === 2,
  );
  const label = '{reason="not-found"}';
  assertEquals(await served.count("pop3_transformer_failures_total", label), 1);
});

Deno.test("a message that another program cuts or lengthens while its program reads it has no end", async () => {
  const script = 'head -c 9; while [ ! -e "$0.$POSTERN_USER" ]; do sleep 0.02; done; exec cat';
  await using served = await serve({
    scripts: { cut: script, grown: script, top: script },
    mail: { cut: [BIG], grown: [BIG], top: [BIG] },
    timeout: 20,
    flags: ["--max-transformers", "20"],
  });
  const change = {
    cut: (path: string) => Deno.truncate(path, 2_000_000),
    grown: (path: string) => Deno.writeTextFile(path, "more\r\n", { append: true }),
    top: (path: string) => Deno.truncate(path, 2_000_000),
  };
  for (const [user, changed] of Object.entries(change)) {
    using client = await served.login(user);
    await client.ok(user === "top" ? "TOP 1 3" : "RETR 1");
    const folder = `${served.folder}/mail/${served.name(user)}/new`;
    for await (const { name } of Deno.readDir(folder)) await changed(`${folder}/${name}`);
    await Deno.writeTextFile(`${served.dispatcher}.${served.name(user)}`, "");
    if (user === "top") {
      // What TOP asks for was read whole.
      assert((await client.multiline()).length > 0);
      await client.ok("QUIT");
    } else {
      await assertRejects(() => client.multiline(), Error, "before the terminator");
    }
    await served.nothingLeft(user);
  }
  await eventually(
    "the failures are counted",
    async () => await served.count("pop3_transformer_failures_total", '{reason="input"}') === 2,
  );
});

Deno.test("a program has no other message open than its own, however many start at once", async () => {
  const users = Array.from({ length: 12 }, (_, index) => `user${index}`);
  await using served = await serve({
    scripts: Object.fromEntries(users.map((user) => [user, "exec ls -l /proc/self/fd"])),
    flags: ["--workers", "4", "--max-transformers", "12"],
    timeout: 20,
  });
  await Promise.all(users.map(async (user) => {
    using client = await served.login(user);
    for (let run = 0; run < 25; run++) {
      await client.ok("RETR 1");
      const open = decode(await client.multiline()).split("\r\n").flatMap((line) =>
        line.match(/ -> .*\/mail\/([^/]+)\//)?.[1] ?? []
      );
      assert(open.length > 0);
      assertEquals(new Set(open), new Set([served.name(user)]));
    }
  }));
});

/** What a program makes of an input. */
async function output(program: string, args: string[], input: Uint8Array): Promise<Uint8Array> {
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  const [{ stdout }] = await Promise.all([
    child.output(),
    writer.write(input).then(() => writer.close()),
  ]);
  return stdout;
}
