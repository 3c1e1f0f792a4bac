/** Runs `postern admin` as users do: one command, a pipe of commands, and the shell in a terminal. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FAKE_LOGIN, FakeMsmp } from "../support/fake_msmp.ts";
import { postern } from "../support/piped_program.ts";
import { Terminal } from "../support/terminal.ts";
import { eventually } from "../support/waiting.ts";

const env = { POSTERN_ADMIN_LOGIN: `${FAKE_LOGIN.name}:${FAKE_LOGIN.password}` };

Deno.test("one command, and the four exit statuses", async () => {
  await using server = new FakeMsmp();
  const port = String(server.port);
  const [done, refused, misused, alone, byFlag] = await Promise.all([
    postern(["admin", "-p", port, "users"], { env }),
    postern(["admin", "-P", port, "delete", "user", "nobody"], { env }),
    postern(["admin", "-p", port, "usres"], { env }),
    postern(["admin", "-p", "1", "users"], { env }),
    postern(["admin", "-p", port, "-u", "root:wrong", "users"], { env }),
  ]);
  assertEquals(done, { code: 0, stdout: "alice\nbob\n", stderr: "" });
  assertEquals(refused, { code: 1, stdout: "", stderr: "postern: User does not exist\n" });
  assertEquals([misused.code, misused.stdout], [2, ""]);
  assertStringIncludes(misused.stderr, "did you mean users?");
  assertEquals([alone.code, alone.stdout], [3, ""]);
  assertStringIncludes(alone.stderr, "127.0.0.1:1");
  assertEquals([byFlag.code, byFlag.stderr], [1, "postern: Invalid credentials\n"]);
});

Deno.test("a pipe of commands: no prompt, no escapes, the status of the last that failed", async () => {
  await using server = new FakeMsmp();
  const input = "users\n\n# a comment\nlist nobody\nget timeout\nnonsense\nstat pop3.logins";
  const plain = await postern(["admin", "-p", String(server.port)], { env, input });
  assertEquals(plain.code, 2);
  assertEquals(plain.stdout, "alice\nbob\n600\npop3.logins  30\n");
  assertEquals(
    plain.stderr,
    'postern: User does not exist\npostern: unknown command "nonsense"; help lists them\n',
  );
  assertEquals(server.accepted, 1);
  const program = await postern(["admin", "--json", "-p", String(server.port)], { env, input });
  assertEquals(program.stdout.trimEnd().split("\n").map((line) => JSON.parse(line)), [
    ["alice", "bob"],
    { ok: false, message: "User does not exist" },
    { key: "timeout", value: "600" },
    { ok: false, message: 'unknown command "nonsense"; help lists them' },
    { "pop3.logins": 30 },
  ]);
});

Deno.test("passwords come from standard input, files and the environment, and are never said", async () => {
  await using server = new FakeMsmp();
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, `${FAKE_LOGIN.password}\n`);
    const port = String(server.port);
    const both = await postern(["admin", "-p", port, "-u", "root", "add", "user", "carol"], {
      input: `${FAKE_LOGIN.password}\ncarol's own\n`,
    });
    assertEquals(both, { code: 0, stdout: "Added user\n", stderr: "" });
    assert(server.heard.includes("ADD carol carol's own"));
    const added = await postern(["admin", "-p", port, "-u", `root:@${file}`, "-n", "dan:@@x y"]);
    assertEquals(added, { code: 0, stdout: "Added user\n", stderr: "" });
    assert(server.heard.includes("ADD dan @x y"));
    const nobody = await postern(["admin", "-p", port, "users"]);
    assertEquals(nobody.code, 2);
    assertStringIncludes(nobody.stderr, "POSTERN_ADMIN_LOGIN");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("top without a terminal prints one picture", async () => {
  await using server = new FakeMsmp();
  const { code, stdout } = await postern(["admin", "-p", String(server.port), "top"], { env });
  assertEquals(code, 0);
  assertStringIncludes(stdout, "Octets sent");
  assertStringIncludes(stdout, "alice");
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  assert(!/[\x00-\x09\x0b-\x1f]/.test(stdout));
});

Deno.test("the shell: password without echo, completion, history, secrets not kept, Ctrl-D", async () => {
  await using server = new FakeMsmp();
  await using terminal = new Terminal(["admin", "-p", String(server.port), "-u", "root"]);
  await terminal.see("Password of root: ");
  await terminal.type(`${FAKE_LOGIN.password}\r`);
  let at = await terminal.see("postern> ");
  assert(!terminal.shown.includes(FAKE_LOGIN.password), "the password is not echoed");
  await terminal.type("list al\t\r");
  at = await terminal.see("alice 3 logs", at);
  at = await terminal.see("postern> ", at);
  await terminal.type("add user zed\r");
  at = await terminal.see("New password of zed: ", at);
  await terminal.type("hush\r");
  at = await terminal.see("Once more: ", at);
  await terminal.type("hush\r");
  at = await terminal.see("Added user", at);
  assert(!terminal.shown.includes("hush"));
  at = await terminal.see("postern> ", at);
  await terminal.type("add user yan open\r");
  at = await terminal.see("Added user", at);
  at = await terminal.see("postern> ", at);
  await terminal.type("\x1b[A");
  at = await terminal.see("add user zed", at);
  await terminal.type("\x03");
  at = await terminal.see("^C", at);
  at = await terminal.see("postern> ", at);
  server.hangUp();
  await terminal.type("get timeout\r");
  at = await terminal.see("600", at);
  assertEquals(server.accepted, 2, "the lost connection is made anew");
  at = await terminal.see("postern> ", at);
  await terminal.type("\x04");
  assertEquals(await terminal.ended(), { code: 0, restored: true });
});

Deno.test("top in a terminal shows the sessions, leaves by q, and restores the terminal", async () => {
  await using server = new FakeMsmp({
    answers: { SESSIONS: ["+OK", "s1 ev\x1b]0;il 192.0.2.7 - transaction x 5 \x9b2J", "."] },
  });
  await using terminal = new Terminal(["admin", "-p", String(server.port), "top"], env);
  await terminal.see("\x1b[?1049h");
  await terminal.see("ev\\x1b]0;il");
  assert(!terminal.shown.includes("\x1b]0;") && !terminal.shown.includes("\x9b"));
  const asked = (): number => server.heard.filter((line) => line === "STAT").length;
  await eventually("the view asks again", () => asked() > 1);
  await terminal.type("q");
  assertEquals(await terminal.ended(), { code: 0, restored: true });
  assert(terminal.shown.trimEnd().endsWith("\x1b[?1049l"));
});

Deno.test("Ctrl-C leaves top, and the terminal is as it was", async () => {
  await using server = new FakeMsmp();
  await using terminal = new Terminal(["admin", "-p", String(server.port), "top"], env);
  await terminal.see("Octets sent");
  await terminal.type("\x03");
  assertEquals(await terminal.ended(), { code: 0, restored: true });
});

Deno.test("a signal gives the terminal back, from top and from the prompt", async () => {
  await using server = new FakeMsmp();
  await using inTop = new Terminal(["admin", "-p", String(server.port), "top"], env);
  await inTop.see("Octets sent");
  inTop.terminate();
  assertEquals(await inTop.ended(), { code: 143, restored: true });
  assert(inTop.shown.trimEnd().endsWith("\x1b[?1049l"));
  await using inShell = new Terminal(["admin", "-p", String(server.port)], env);
  await inShell.see("postern> ");
  inShell.terminate();
  assertEquals(await inShell.ended(), { code: 143, restored: true });
});
