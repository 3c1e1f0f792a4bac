// Where mailboxes lie, on the running program: layouts of other servers, homes, folded names, and `postern check`.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { eventually } from "../support/waiting.ts";
import { makeMailbox } from "../support/mailboxes.ts";
import { type RunningProgram, runProgram, startProgram } from "../support/program.ts";

const MESSAGE = new TextEncoder().encode("Subject: x\r\n\r\ny\r\n");

/** A folder of the test's own. */
function folder(): Disposable & { readonly path: string } {
  const path = Deno.makeTempDirSync({ prefix: "postern-places-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** Waits for words in the log. */
async function says(program: RunningProgram, words: string): Promise<void> {
  await eventually(
    `the log's ${words}`,
    () => program.stderr.includes(words),
    () => program.stderr,
  );
}

/** What PASS is answered. */
async function login(program: RunningProgram, user: string, password = "x"): Promise<string> {
  using client = await program.connect();
  await client.line();
  await client.command(`USER ${user}`);
  const answer = await client.command(`PASS ${password}`);
  await client.command("QUIT");
  return answer;
}

Deno.test("the layouts of how-tos are served by their templates", async () => {
  using root = folder();
  const mail = `${root.path}/mail`;
  const homes = `${root.path}/home`;
  const maildirs: Readonly<Record<string, string>> = {
    "%n/Maildir": "ada/Maildir",
    "%d/%n/Maildir": "example.org/ada/Maildir",
    "%d/%n": "example.net/ada",
    "%d/%1n/%n": "example.com/a/ada",
    "%{user | domain}/%{user | username | substr(0,1)}/%{user | username}/mail":
      "example.edu/a/ada/mail",
    "maildir:%2.256Hu/%u:LAYOUT=fs": "b4/ada@example.int",
  };
  for (const path of Object.values(maildirs)) {
    await makeMailbox(`${mail}/${path}`, "maildir", [MESSAGE]);
  }
  await makeMailbox(`${homes}/ada/Maildir`, "maildir", [MESSAGE, MESSAGE]);
  const domains = ["org", "net", "com", "edu", "int"];
  const users = Object.fromEntries(["ada", ...domains.map((end) => `ada@example.${end}`)]
    .map((name) => [name, "x"]));
  for (
    const [template, user] of [
      ["%n/Maildir", "ada"],
      ["%d/%n/Maildir", "ada@example.org"],
      ["%d/%n", "ada@example.net"],
      ["%d/%1n/%n", "ada@example.com"],
      [Object.keys(maildirs)[4]!, "ada@example.edu"],
      ["maildir:%2.256Hu/%u:LAYOUT=fs", "ada@example.int"],
    ] as const
  ) {
    await using program = await startProgram({
      maildir: mail,
      users,
      flags: ["--mailbox", template],
    });
    assertMatch(await login(program, user), /^\+OK 1 messages/, `${template} ${program.stderr}`);
  }
  await using program = await startProgram({
    maildir: mail,
    users,
    flags: ["--mailbox", `${homes}/%n/Maildir`, "--homes", homes],
  });
  assertMatch(await login(program, "ada"), /^\+OK 2 messages/);
});

Deno.test("a layout without its template is refused, and never shown as an empty maildrop", async () => {
  using root = folder();
  for (const path of ["ada/Maildir", "example.org/bob/Maildir"]) {
    await makeMailbox(`${root.path}/${path}`, "maildir", [MESSAGE]);
  }
  const users = { ada: "x", "bob@example.org": "x" };
  await using program = await startProgram({ maildir: root.path, users });
  for (const user of Object.keys(users)) {
    assertMatch(await login(program, user), /^-ERR \[SYS\/PERM\]/);
  }
  await says(program, "--mailbox %n/Maildir");
});

Deno.test("a name that the template cannot take is answered with SYS/PERM, and a home outside, too", async () => {
  using root = folder();
  Deno.mkdirSync(`${root.path}/mail`);
  Deno.writeTextFileSync(
    `${root.path}/users`,
    "ada:{PLAIN}x::::/nowhere/ada::\nbob:{PLAIN}x::::::userdb_mail=maildir:%n/box\n" +
      "eve:{PLAIN}x::::::mail=mbox:~/mail\n",
  );
  await using program = await startProgram({
    maildir: `${root.path}/mail`,
    users: { dan: "x" },
    flags: ["--mailbox", "~/%d", "--users", `${root.path}/users`, "--homes", root.path],
  });
  assertMatch(await login(program, "dan"), /^-ERR \[SYS\/PERM\]/);
  await says(program, "%d is empty");
  assertMatch(await login(program, "eve"), /^-ERR \[SYS\/PERM\]/);
  await says(program, "doveadm sync");
  assertMatch(await login(program, "bob"), /^\+OK 0 messages/);
  assert(Deno.statSync(`${root.path}/mail/bob/box/cur`).isDirectory);
});

Deno.test("names in another case, and with a detail behind the delimiter, are one user", async () => {
  using root = folder();
  await makeMailbox(`${root.path}/example.org/ada`, "maildir", [MESSAGE]);
  await using program = await startProgram({
    maildir: root.path,
    users: { "ada@example.org": "x" },
    flags: ["--names", "lower", "--recipient-delimiter", "+", "--default-domain", "Example.org"],
  });
  for (const name of ["Ada@Example.ORG", "ADA", "ada+shop", "ada+shop@EXAMPLE.org"]) {
    assertMatch(await login(program, name), /^\+OK 1 messages/, name);
  }
});

Deno.test("postern check says where mailboxes are, and names what could not be served", async () => {
  using root = folder();
  const mail = `${root.path}/mail`;
  await makeMailbox(`${mail}/ada/Maildir`, "maildir", [MESSAGE, { bytes: MESSAGE, folder: "cur" }]);
  await makeMailbox(`${mail}/eve`, "maildir", []);
  Deno.writeTextFileSync(
    `${root.path}/users`,
    `ada:{PLAIN}x\nbob:{PLAIN}x::::::mail=${mail}/ada/Maildir\neve:{PLAIN}x::::::mail=/etc\nzoe:{NONE}x\n`,
  );
  const flags = ["-d", mail, "--users", `${root.path}/users`, "--mailbox", "%n/Maildir", "--state"];
  const { code, stdout } = await runProgram(["check", ...flags, ":memory:"]);
  assertEquals(code, 1);
  assertStringIncludes(stdout, `ada  ${mail}/ada/Maildir  maildir, 2 messages, 1 new\n`);
  assertMatch(stdout, /^bob .*PROBLEM: ada has the same mailbox$/m);
  assertMatch(stdout, /^eve .*PROBLEM: The mailbox \/etc lies neither/m);
  assertMatch(stdout, /^PROBLEM: .*line 4/m);
  assertMatch(stdout, /^3 users, 4 messages, 3 problems$/m);
  const well = await runProgram(["check", ...flags, ":memory:", "--json", "ada"]);
  assertEquals(JSON.parse(well.stdout.split("\n")[1]!).user, "ada");
  Deno.writeTextFileSync(`${root.path}/users`, "ada:{PLAIN}x\n");
  assertEquals((await runProgram(["check", ...flags, ":memory:"])).code, 0);
});

Deno.test("postern check looks at the users of a state file that a server holds", async () => {
  using root = folder();
  await makeMailbox(`${root.path}/mail/ada`, "maildir", [MESSAGE]);
  const state = `${root.path}/postern.db`;
  await using _program = await startProgram({
    maildir: `${root.path}/mail`,
    users: { ada: "x" },
    state,
  });
  const { code, stdout } = await runProgram(["check", "-d", `${root.path}/mail`, "--state", state]);
  assertMatch(stdout, /^ada .*maildir, 1 message, 1 new$/m);
  assertEquals(code, 0);
});

Deno.test("another format of mailboxes is refused at the start", async () => {
  using root = folder();
  const args = ["serve", "-d", root.path, "--state", ":memory:", "--mailbox", "mdbox:~/mdbox"];
  const { code, stderr } = await runProgram(args);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "doveadm sync");
});

Deno.test("a folder of a Maildir is a maildrop of its own, and no name leads out of the mailbox", async () => {
  using root = folder();
  await makeMailbox(`${root.path}/ada`, "maildir", [MESSAGE]);
  await makeMailbox(`${root.path}/ada/.Junk`, "maildir", [MESSAGE, MESSAGE]);
  await makeMailbox(`${root.path}/ada/.Lists.Deno`, "maildir", [MESSAGE, MESSAGE, MESSAGE]);
  await using program = await startProgram({
    maildir: root.path,
    users: { ada: "x", bob: "x" },
    flags: ["--folder-separator", "/", "--auth-delay", "0"],
  });
  assertMatch(await login(program, "ada/Junk"), /^\+OK 2 messages/);
  assertMatch(await login(program, "ada/Lists/Deno"), /^\+OK 3 messages/);
  assertMatch(await login(program, "ada/INBOX"), /^\+OK 1 messages/);
  for (const name of ["ada/None", "ada/../bob", "ada//", "ada/", "ada/.Junk", "bob/Junk"]) {
    assertMatch(await login(program, name), /^-ERR \[SYS\/PERM\]/, name);
  }
  assertMatch(await login(program, "ada/Junk", "wrong"), /^-ERR \[AUTH\]/);
  // Two locks.
  using inbox = await program.connect();
  await inbox.login("ada", "x");
  using junk = await program.connect();
  await junk.login("ada/Junk", "x");
  assertMatch(await login(program, "ada/Junk"), /^-ERR \[IN-USE\]/);
  await junk.ok("DELE 1");
  await junk.ok("QUIT");
  assertMatch(await login(program, "ada/Junk"), /^\+OK 1 messages/);
});
