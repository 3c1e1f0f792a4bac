// Passwd-files: every scheme, what is learned from good logins, and sentences about what is wrong.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MemoryState } from "../../lib/state/memory/memory_state.ts";
import { passwdEntries } from "../../lib/auth/passwd/passwd_entry.ts";
import { PasswdFile } from "../../lib/auth/passwd/passwd_file.ts";
import { PasswordWork } from "../../lib/auth/password_work.ts";
import { SourceDirectory } from "../../lib/auth/source_directory.ts";
import { password, scram } from "../contracts/user_directory_contract.ts";

const secret = new Uint8Array(32).fill(6);
/** Hashes of "correct horse", made by crypt(3) and by the argon2 reference. */
const SHA512 =
  "{SHA512-CRYPT}$6$saltstring$.r0X7ub5wGR2v4Xz7svCIozfnlorFh19V89t8KC9Umd81uGhFgsyTRNyzQDXDIm17fFcR9z3z7oBNdsyYBbtm/";
const BCRYPT = "{BLF-CRYPT}$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2";
const ARGON2ID =
  "{ARGON2ID}$argon2id$v=19$m=1024,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$QCr+opwm/FNs9/4/iSQN6bgWg44mE/8dnco3wnWL6Jw";

Deno.test("passwd-file's users log in by every scheme, and SCRAM works once all have", async () => {
  const salt = new Uint8Array(12).fill(9);
  const keys = await new PasswordWork().derive("correct horse", { salt, iterations: 5000 });
  const scramLine = `{SCRAM-SHA-256}5000,${salt.toBase64()},` +
    `${keys.storedKey.toBase64()},${keys.serverKey.toBase64()}`;
  const lines = [
    "plain:{PLAIN}correct horse",
    `scram:${scramLine}:x`,
    `sha:${SHA512}`,
    `bcrypt:${BCRYPT}:1000:1000::`,
    `argon:${ARGON2ID}`,
  ];
  await using file = await written(lines.join("\n"));
  const { learned } = new MemoryState();
  const users = await PasswdFile.read({ path: file.path, secret, learned });
  const directory = new SourceDirectory({ sources: [users], secret });
  const names = ["plain", "scram", "sha", "bcrypt", "argon"];
  assertEquals(directory.scramForAll, false);
  for (const name of names) {
    assertEquals(await directory.verify(password(name, "correct")), undefined, name);
    assertEquals(await directory.verify(password(name, "")), undefined, name);
    assertEquals(await directory.verify(password(name, "correct horse")), { user: name });
    assertEquals(await directory.verify(password(name, "correct horse")), { user: name });
    assertEquals(await scram(directory, name, "correct horse"), true, name);
  }
  assertEquals(directory.scramForAll, true);
  assertEquals((await Array.fromAsync(learned.list())).map(({ name }) => name).sort(), [
    "argon",
    "bcrypt",
    "sha",
  ]);
});

Deno.test("passwd-file's learned keys outlive a restart, and end with the line they were for", async () => {
  await using file = await written(`ann:${SHA512}`);
  const { learned } = new MemoryState();
  const options = { path: file.path, secret, learned };
  await login(await PasswdFile.read(options), "correct horse");
  const again = await PasswdFile.read(options);
  assertEquals(again.costliestForeign, undefined);
  assertEquals((await again.find("ann"))?.foreign, undefined);
  await login(again, "correct horse");
  await Deno.writeTextFile(file.path, `ann:${BCRYPT}`);
  const changed = await PasswdFile.read(options);
  assertEquals(changed.costliestForeign?.scheme, "BLF-CRYPT");
  assert((await changed.find("ann"))?.foreign);
});

Deno.test("passwd-file is read again on demand, and one without a good line changes nothing", async () => {
  await using file = await written("ann:{PLAIN}one\n");
  const users = await PasswdFile.read({ path: file.path, secret });
  const directory = new SourceDirectory({ sources: [users], secret });
  const good = async (text: string): Promise<boolean> =>
    await directory.verify(password("ann", text)) !== undefined;
  assertEquals(await scram(directory, "ann", "one"), true);
  await Deno.writeTextFile(file.path, "ann:{PLAIN}two\nbob:{PLAIN}three\n");
  await users.reread();
  assertEquals([await good("one"), await good("two")], [false, true]);
  assertEquals(await scram(directory, "ann", "one"), false);
  assertEquals(await scram(directory, "ann", "two"), true);
  assertEquals([users.count, users.has("bob"), users.names()], [2, true, ["ann", "bob"]]);
  await Deno.writeTextFile(file.path, "ann\nbob\n");
  await assertRejects(() => users.reread(), SyntaxError, "line 1");
  assertEquals([await good("two"), users.has("bob")], [true, true]);
  await Deno.remove(file.path);
  const error = await assertRejects(() => users.reread(), Error);
  assertMatch(error.message, /^The users file .* cannot be read: /);
  assertEquals(await good("two"), true);
  await Deno.writeTextFile(file.path, "");
});

Deno.test("passwd-file's wrong lines are named with file and line, and without their secret", () => {
  const wrong = [
    ["ann", /form name:\{SCHEME\}data/],
    ["ann:hunter2", /begin with its scheme/],
    ["ann:{MD6}hunter2", /expected one of \{PLAIN\}, \{SCRAM-SHA-256\}, \{SHA\}/],
    ["ann:{PLAIN}", /password is empty/],
    ["../ann:{PLAIN}hunter2", /it holds a slash/],
    [":{PLAIN}hunter2", /it is empty/],
    ["ann:{SHA512-CRYPT}$6$hunter2", /form of \{SHA512-CRYPT\}/],
    ["ann:{BLF-CRYPT}$2y$99$hunter2", /form of \{BLF-CRYPT\}/],
    ["ann:{ARGON2ID}$argon2i$hunter2", /form of \{ARGON2ID\}/],
    ["ann:{SCRAM-SHA-256}4096,hunter2", /iterations,salt,StoredKey,ServerKey/],
    ["ann:{SCRAM-SHA-256}4096,AAAA,AAAA,AAAA", /32 octets each/],
    [
      "ann:{ARGON2ID}$argon2id$v=19$m=9999999,t=1,p=1$BwcHBwcHBwcHBwc$QCr+opwm",
      /9766 MiB of memory; 256/,
    ],
    [
      "ann:{ARGON2ID}$argon2id$v=19$m=65536,t=50,p=1$BwcHBwcHBwcHBwc$QCr+opwm",
      /about 6.9 seconds; 1 is/,
    ],
    ["ann:{ARGON2ID}$argon2id$v=19$m=8,t=1,p=4$BwcHBwcHBwcHBwc$QCr+opwm", /form of \{ARGON2ID\}/],
    [`ann:{BLF-CRYPT}$2y$14$${"a".repeat(53)}`, /about 1.3 seconds/],
    [
      `ann:{SHA512-CRYPT}$6$rounds=999999999$a$${"a".repeat(86)}`,
      /about 800 seconds/,
    ],
    [`ann:{SCRAM-SHA-256}1,AAAA,${"A".repeat(43)}=,${"A".repeat(43)}=`, /between 4096 and/],
  ] as const;
  for (const [line, sentence] of wrong) {
    const text = `# first\n\nok:{PLAIN}x\n${line}\n`;
    const refused: string[] = [];
    const read = passwdEntries(`${text}last:{PLAIN}y\n`, "users.txt", (one) => refused.push(one));
    assertEquals(Array.from(read, ({ name }) => name), ["ok", "last"]);
    assertEquals(refused.length, 1);
    assertMatch(refused[0]!, sentence, line);
    assertMatch(refused[0]!, /^users\.txt, line 4: /);
    assertEquals(refused[0]!.includes("hunter2"), false);
  }
});

Deno.test("passwd-file's lines that cannot be taken keep no others from serving", async () => {
  await using file = await written(
    "ann:{PLAIN}one\nann:{PLAIN}two\nbob:{MD6}x\ncleo:{PLAIN}three\n",
  );
  const refused: string[] = [];
  const onRefused = (lines: readonly string[]): void => void refused.push(...lines);
  const users = await PasswdFile.read({ path: file.path, secret, onRefused });
  assertEquals(users.names(), ["ann", "cleo"]);
  assertEquals((await users.find("ann"))?.clear, "one", "the first line counts");
  assertEquals(refused.map((line) => line.slice(file.path.length).replace(/one of.*/, "…")), [
    ", line 2: duplicate user ann",
    ", line 3: unknown password scheme; expected …",
  ]);
});

Deno.test("passwd-file that is not in UTF-8 is refused", async () => {
  await using file = await written("");
  await Deno.writeFile(file.path, new Uint8Array([0x61, 0xff, 0x0a]));
  await assertRejects(() => PasswdFile.read({ path: file.path, secret }), SyntaxError, "UTF-8");
});

Deno.test("passwd-file's slow hashes leave the event loop free", async () => {
  await using file = await written(`ann:${SHA512.replace("saltstring", "rounds=1000000$a")}`);
  const users = await PasswdFile.read({ path: file.path, secret });
  const directory = new SourceDirectory({ sources: [users], secret });
  let [turns, ended] = [0, false];
  const verified = directory.verify(password("ann", "wrong")).finally(() => ended = true);
  while (!ended) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    turns++;
  }
  assertEquals(await verified, undefined);
  assert(turns > 20, `the event loop turned ${turns} times`);
});

async function login(users: PasswdFile, text: string): Promise<void> {
  const directory = new SourceDirectory({ sources: [users], secret });
  assertEquals(await directory.verify(password("ann", text)), { user: "ann" });
}

async function written(text: string): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, text);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}
