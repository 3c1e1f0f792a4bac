// `postern import users`: lists of other servers, and taking them back.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { readUserList, type UserFormat } from "../../lib/migrate/user_lists.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { postern } from "../support/piped_program.ts";
import { startProgram } from "../support/program.ts";

const BCRYPT = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const SHA512 = `$6$saltstring$${"a".repeat(86)}`;
const ARGON2 = "$argon2id$v=19$m=4096,t=3,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA";

function read(from: UserFormat, text: string, scheme?: string): [string[], string[]] {
  const { users, refused } = readUserList(text, { from, scheme, canonical: (name) => name });
  const told = [...users].map(([name, secret]) =>
    secret.kind === "foreign"
      ? `${name} ${secret.hash.scheme}`
      : `${name} ${secret.kind === "clear" ? secret.password : secret.kind}`
  );
  return [told, [...refused]];
}

Deno.test("passwd: what follows the hash is passed over, bad lines are told, the rest is taken", () => {
  const text = `# users\nada:{SHA512-CRYPT}${SHA512}:1000:1000::/home/ada::\nbob:${BCRYPT}\n` +
    "carol\ndan:{NTLM}x\nada:{PLAIN}y\neve/x:{PLAIN}y\n";
  const [users, refused] = read("passwd", text);
  assertEquals(users, ["ada SHA512-CRYPT", "bob BLF-CRYPT"]);
  assertEquals(refused.map((line) => line.slice(0, 7)), [
    "line 4:",
    "line 5:",
    "line 6:",
    "line 7:",
  ]);
  assertEquals(refused.some((line) => line.includes("{NTLM}x")), false, "no secret is told");
  assertEquals(read("passwd", "ada:secret\n", "PLAIN")[0], ["ada secret"]);
});

Deno.test("sql: braces, beginnings, quotes, commas of Argon2, and a line of column names", () => {
  const text = `username,password\nada@x.org,{BLF-CRYPT}${BCRYPT}\n"bob@x.org","${SHA512}"\r\n` +
    `carol,${ARGON2}\ndan,"{PLAIN}a,b:""c"""\nonly\n`;
  const [users, refused] = read("sql", text);
  assertEquals(users, [
    "ada@x.org BLF-CRYPT",
    "bob@x.org SHA512-CRYPT",
    "carol ARGON2ID",
    'dan a,b:"c"',
  ]);
  assertEquals(refused, ["line 6: it is not of the form name,hash"]);
});

Deno.test("sasldb, htpasswd and shadow: what they give is taken, other hashes are told", () => {
  assertEquals(
    read(
      "sasldb",
      "ada@x.org: userPassword: s:x\nbob@x.org: userPassword\nx@y: cmusaslsecretOTP\n",
    ),
    [["ada@x.org s:x"], [
      "line 2: the text says that there is a password, but not which: sasldblistusers2 does not show it",
      "line 3: the text says that there is a password, but not which: sasldblistusers2 does not show it",
    ]],
  );
  const [users, refused] = read("htpasswd", `ada:${BCRYPT}\nbob:$apr1$x$yyyy\n`);
  assertEquals([users, refused.length], [["ada BLF-CRYPT"], 1]);
  const shadow =
    `root:*:1:0:::::\nada:${SHA512}:19000:0:99999:7:::\nbob:!${SHA512}:1::::::\nc:$y$j9T$x:1::::::\n`;
  const [shadowed, told] = read("shadow", shadow);
  assertEquals([shadowed, told.length], [["ada SHA512-CRYPT"], 3]);
});

Deno.test("users are told first, written with --write, and taken back unless they logged in", async () => {
  await using folder = await temporaryFolder();
  const [state, list, mail] = ["s.db", "list", "mail"].map((name) => join(folder.path, name)) as [
    string,
    string,
    string,
  ];
  await Deno.mkdir(mail);
  const users = (...args: string[]): ReturnType<typeof postern> =>
    postern(["import", "users", "--state", state, ...args]);
  await postern(["user", "--state", state, "add", "ada:old"]);
  await Deno.writeTextFile(list, "ada:{PLAIN}new\nbob:{PLAIN}pw\ncarol:{PLAIN}pw\ndan:{NTLM}x\n");

  const dry = await users("--from", "passwd", list);
  assertEquals(dry.stdout, "3 users: 2 added, 1 changed, 0 as they are, 1 refused\n");
  assertEquals(dry.code, 1);
  assertStringIncludes(dry.stderr, "line 4: unknown password scheme");
  assertEquals((await postern(["user", "list", "--state", state])).stdout, "ada\n");

  const strict = await users("--from", "passwd", list, "--write", "--strict");
  assertEquals([strict.code, strict.stdout.includes("nothing is written")], [1, true]);
  const written = await users("--from", "passwd", list, "--write");
  assertStringIncludes(written.stdout, "; written");
  assertEquals((await postern(["user", "list", "--state", state])).stdout, "ada\nbob\ncarol\n");
  const again = await users("--from", "passwd", list);
  assertStringIncludes(again.stdout, "0 added, 0 changed, 3 as they are");
  assertEquals((await Deno.stat(`${state}-users-undo`)).mode! & 0o777, 0o600);

  {
    await using program = await startProgram({
      maildir: mail,
      state,
      flags: ["--auth-delay", "0"],
    });
    const client = await program.connect();
    await client.login("carol", "pw");
    await client.ok("QUIT");
    await client.leave();
  }
  const undone = await users("--undo");
  assertEquals(undone.stdout, "1 deleted again, 1 put back, 1 left as they are\n");
  assertStringIncludes(undone.stderr, "carol: it has logged in since");
  {
    await using program = await startProgram({
      maildir: mail,
      state,
      flags: ["--auth-delay", "0"],
    });
    const client = await program.connect();
    await client.login("ada", "old");
    await client.leave();
  }
  assertEquals(
    (await users("--undo", "--force")).stdout,
    "1 deleted again, 0 put back, 0 left as they are\n",
  );
  assertEquals((await postern(["user", "list", "--state", state])).stdout, "ada\n");
  assertEquals((await users("--undo")).code, 1);
});
