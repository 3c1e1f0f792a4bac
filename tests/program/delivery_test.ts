// Mail in, on the running program: by LMTP and by `postern deliver`, to the octet, and what is refused.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { LmtpClient } from "../support/lmtp_client.ts";
import { messageFiles } from "../support/mailboxes.ts";
import { machineEnvironment, type RunningProgram, startProgram } from "../support/program.ts";
import { projectRoot } from "../support/mailboxes.ts";
import { runArguments } from "../../tasks/run_arguments.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A folder of the test's own. */
function folder(): Disposable & { readonly path: string } {
  const path = Deno.makeTempDirSync({ prefix: "postern-delivery-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** The messages of a Maildir. */
async function mailOf(path: string): Promise<string[]> {
  return (await messageFiles(path)).filter((name) => name.includes("/"));
}

/** What RETR sends of a message. */
async function retrieve(program: RunningProgram, user: string, number: number): Promise<string> {
  using client = await program.connect();
  await client.login(user, "x");
  const octets = await client.retrieve(number);
  await client.command("QUIT");
  return decoder.decode(octets);
}

/** Runs `postern deliver` on a message. */
async function deliver(
  flags: readonly string[],
  message: string,
): Promise<{ readonly code: number; readonly stderr: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...runArguments(), "deliver", ...flags],
    cwd: projectRoot,
    env: { ...machineEnvironment(), NO_COLOR: "1" },
    clearEnv: true,
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // One that refuses does not read to the end.
  await writer.write(encoder.encode(message)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stderr } = await child.output();
  return { code, stderr: decoder.decode(stderr) };
}

const TRACE = "Return-Path: <sender@example.org>\r\nDelivered-To: ada@example.org\r\n";

Deno.test("LMTP delivers to the octet, with an answer for each recipient, and the first login reads nothing", async () => {
  using root = folder();
  await using program = await startProgram({
    maildir: root.path,
    users: { "ada@example.org": "x", "bob": "x" },
    flags: ["--lmtp", "127.0.0.1:0"],
  });
  using client = await LmtpClient.connect({ port: program.port("lmtp") });
  const hello = await client.command("LHLO test");
  for (const word of ["PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "SIZE"]) {
    assertStringIncludes(hello!, word);
  }
  const message = "Subject: x\r\n\r\n.dot\r\n..\r\nbare\nLF\n.\nbare\rCR \u00fc\r\n";
  assertEquals(
    await client.command("MAIL FROM:<sender@example.org> BODY=8BITMIME SIZE=100"),
    "250 2.1.0 OK",
  );
  assertMatch((await client.command("RCPT TO:<ada@example.org>"))!, /^250 2\.1\.5/);
  assertMatch((await client.command("RCPT TO:<nobody@example.org>"))!, /^550 5\.1\.1/);
  assertMatch((await client.command("RCPT TO:<bob@anything.org>"))!, /^250/);
  assertMatch((await client.command("DATA"))!, /^354/);
  await client.send(`${message.replaceAll(/(^|\r\n)\./g, "$1..")}.\r\n`);
  assertMatch((await client.answer())!, /^250 2\.0\.0/);
  assertMatch((await client.answer())!, /^250 2\.0\.0/);
  const sent = message.replaceAll(/\r?\n/g, "\r\n");
  assertEquals(await retrieve(program, "ada@example.org", 1), TRACE + sent);
  const [file] = await mailOf(`${root.path}/bob`);
  assertMatch(file!, /^new\/.*,S=\d+,W=\d+$/);
  const { size } = Deno.statSync(`${root.path}/bob/${file}`);
  assertStringIncludes(file!, `,S=${size},`);
  // What the delivery wrote down is believed, and not what lies there: nothing was read.
  const journal = Deno.readTextFileSync(`${root.path}/bob/.postern-delivered`);
  assertStringIncludes(journal, file!.slice(4));
});

Deno.test("LMTP takes no end but CRLF.CRLF, and what is pipelined behind it is a command", async () => {
  using root = folder();
  await using _program = await startProgram({
    maildir: root.path,
    users: { ada: "x" },
    flags: ["--lmtp", `unix:${root.path}/lmtp.sock`],
  });
  using client = await LmtpClient.connect({ path: `${root.path}/lmtp.sock` });
  const smuggled = ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r\n\x00.\r\n"].map((end) =>
    `a${end}MAIL FROM:<evil@example.org>\r\n`
  ).join("");
  await client.send(
    `LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<ada>\r\nDATA\r\n${smuggled}\r\n.\r\nNOOP\r\nQUIT\r\n`,
  );
  const answers: (string | undefined)[] = [];
  for (let count = 0; count < 7; count++) answers.push(await client.answer());
  assertEquals(answers.map((answer) => answer?.slice(0, 3)), [
    "250",
    "250",
    "250",
    "354",
    "250",
    "250",
    "221",
  ]);
  assertEquals((await mailOf(`${root.path}/ada`)).length, 1);
});

Deno.test("LMTP's bad commands, large messages and full mailboxes are answered, and a client that leaves in DATA delivers nothing", async () => {
  using root = folder();
  await using program = await startProgram({
    maildir: root.path,
    users: { ada: "x", eve: "x" },
    flags: ["--lmtp", "127.0.0.1:0", "--max-message-size", "2K", "--quota", "3K"],
  });
  const port = program.port("lmtp");
  using client = await LmtpClient.connect({ port });
  for (
    const [line, code] of [
      ["MAIL FROM:<x>", "503"],
      ["EHLO x", "500"],
      ["LHLO x", "250"],
      ["RCPT TO:<ada>", "503"],
      ["DATA", "503"],
      ["MAIL FROM:<x> SIZE=9999", "552"],
      ["MAIL FROM:<x> FOO=1", "555"],
      ["MAIL FROM:x", "501"],
      ["MAIL FROM:<x>", "250"],
      ["MAIL FROM:<x>", "503"],
      ["RCPT TO:<../ada>", "550"],
      ["RCPT TO:<nobody>", "550"],
      ["DATA", "503"],
      ["RCPT TO:<ada>", "250"],
      ["RSET", "250"],
      ["x".repeat(6000), "500"],
      ["NOOP", "250"],
    ] as const
  ) assertEquals((await client.command(line))?.slice(0, 3), code, line.slice(0, 40));
  const body = (octets: number): string => `Subject: x\r\n\r\n${"y".repeat(octets)}\r\n`;
  assertEquals((await client.deliver(["ada"], body(3000)))[0]?.slice(0, 9), "552 5.3.4");
  assertEquals((await client.deliver(["ada"], body(1900)))[0]?.slice(0, 3), "250");
  assertEquals((await client.deliver(["ada", "eve"], body(1900))).map((each) => each.slice(0, 9)), [
    "452 4.2.2",
    "250 2.0.0",
  ]);
  {
    using leaving = await LmtpClient.connect({ port });
    await leaving.send("LHLO x\r\nMAIL FROM:<x>\r\nRCPT TO:<eve>\r\nDATA\r\nSubject: half\r\n");
    for (let count = 0; count < 4; count++) await leaving.answer();
  }
  assertEquals((await client.deliver(["eve"], body(1)))[0]?.slice(0, 3), "250");
  assertEquals((await mailOf(`${root.path}/eve`)).length, 2);
  assertEquals([...Deno.readDirSync(`${root.path}/ada/tmp`)].length, 0);
  // The sums of Maildir++ follow deletes.
  using reader = await program.connect();
  await reader.login("ada", "x");
  await reader.ok("DELE 1");
  await reader.ok("QUIT");
  assertEquals((await client.deliver(["ada"], body(1900)))[0]?.slice(0, 3), "250");
});

Deno.test("postern deliver puts a message into a mailbox beside a running server, and says by its status why not", async () => {
  using root = folder();
  const mail = `${root.path}/mail`;
  Deno.mkdirSync(mail);
  const state = `${root.path}/postern.db`;
  await using program = await startProgram({ maildir: mail, users: { ada: "x" }, state });
  const flags = ["--maildir", mail, "--state", state];
  const message = "From sender@example.org Mon Jan  1 00:00:00 2026\nSubject: x\n\n.\n.y\n";
  const first = await deliver([...flags, "-d", "ada", "--from", "s@example.org"], message);
  assertEquals(first, { code: 0, stderr: "" });
  assertEquals(
    await retrieve(program, "ada", 1),
    "Return-Path: <s@example.org>\r\nDelivered-To: ada\r\nSubject: x\r\n\r\n.\r\n.y\r\n",
  );
  assertEquals((await deliver([...flags, "-d", "ada@anywhere.org"], "a: b\n\n")).code, 0);
  assertEquals((await deliver([...flags, "-d", "nobody"], message)).code, 67);
  assertEquals((await deliver([...flags, "-d", "../etc"], message)).code, 67);
  assertEquals((await deliver([...flags, "-d", "ada", "--quota", "10"], message)).code, 75);
  const small = ["--max-message-size", "10"];
  assertEquals((await deliver([...flags, "-d", "ada", ...small], message)).code, 69);
  assertEquals((await deliver([...flags, "--nonsense"], message)).code, 64);
  Deno.writeTextFileSync(`${root.path}/users`, `bob:{PLAIN}x::::::mail=/etc/bob\n`);
  const users = ["--users", `${root.path}/users`];
  assertEquals((await deliver([...flags, ...users, "-d", "bob"], message)).code, 77);
  assertEquals((await deliver(["--maildir", `${root.path}/none`, "-d", "ada"], message)).code, 75);
  assert((await mailOf(`${mail}/ada`)).length === 2);
});
