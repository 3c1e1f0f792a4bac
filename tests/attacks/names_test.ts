// User names that reach for something: other folders, other users, the log (CVE-2017-2669, CVE-2019-10691, CVE-2022-22931).
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageOfSize } from "../support/mailboxes.ts";
import { drain, pour, type Stage, startStage } from "./stage.ts";

/** Names that are nobody's; each would be somebody's, or somewhere, on a careless server. */
const NAMES: readonly string[] = [
  "..",
  "../mail/alice",
  "../../etc",
  "./alice",
  "alice/../bob",
  "alice/",
  "alice/new",
  "/alice",
  "\\alice",
  "..\\alice",
  "alice%00",
  "alice%2e%2e",
  "%2e%2e/alice",
  "%u",
  "%s%s%s%n",
  "${alice}",
  "alice@",
  "@alice",
  "new@alice",
  "cur@alice",
  "tmp@alice",
  "alice@..",
  "new@bob",
  "al",
  "ali",
  "alice2",
  " alice",
  "Alice",
  "ALICE",
  "alic\u0435", // a Cyrillic letter in the end
  "alice\u200b",
  "alice\u0301",
  "\ufeffalice",
  ".alice",
  "__proto__",
  "constructor",
  "toString",
  "alice'--",
  "' OR 1=1 --",
  '" OR ""="',
  "*",
  "n".repeat(65),
  "n".repeat(240),
];

/** Says the lines in a session of their own, and gives all answers. */
async function say(stage: Stage, octets: string | Uint8Array): Promise<string> {
  using conn = await stage.raw();
  await pour(conn, octets);
  await conn.closeWrite().catch(() => {});
  return new TextDecoder("latin1").decode(await drain(conn));
}

/** All that lies below a folder. */
async function everything(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    found.push(entry.name);
    if (entry.isDirectory) {
      const below = await everything(join(folder, entry.name));
      found.push(...below.map((name) => join(entry.name, name)));
    }
  }
  return found.sort();
}

Deno.test("names: none that is nobody's logs in, with whosever password, or makes anything on the disk", async () => {
  // Every refused login counts towards the ban of its address, so each name comes from an address of its own.
  await using stage = await startStage({
    tls: false,
    flags: ["--proxy-protocol", "127.0.0.1/32"],
    users: { adm: "admin password", admin: "adm password" },
  });
  const around = join(stage.maildir, "..");
  const before = await everything(around);
  let at = 0;
  for (const name of NAMES) {
    for (const password of ["wonder land", "builder"]) {
      const header = `PROXY TCP4 192.0.2.${++at % 250} 127.0.0.1 1000 110\r\n`;
      const said = await say(
        stage,
        `${header}UTF8\r\nUSER ${name}\r\nPASS ${password}\r\nSTAT\r\n`,
      );
      const answers = said.split("\r\n").slice(1);
      assertEquals(answers[2], "-ERR [AUTH] Authentication failed", JSON.stringify(name));
      assertEquals(answers[3], "-ERR Log in first");
      assert(!said.includes(name.trim()) || name.trim().length < 3, said);
    }
  }
  assertEquals(await everything(around), before);
  for (const [user, password] of [["adm", "adm password"], ["admin", "admin password"]]) {
    const header = `PROXY TCP4 198.51.100.1 127.0.0.1 1000 110\r\n`;
    const said = await say(stage, `${header}USER ${user}\r\nPASS ${password}\r\n`);
    assert(said.includes("-ERR [AUTH]"), "one user's password must not open the other's maildrop");
  }
});

Deno.test("names: NUL, CR, controls and invalid UTF-8 never get as far as a login", async () => {
  await using stage = await startStage({ tls: false });
  const octets = (text: string): Uint8Array =>
    Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const cases = new Map([
    ["NUL inside", "USER alice\0evil\r\nPASS wonder land\r\n"],
    ["NUL at the end", "USER alice\0\r\nPASS wonder land\r\n"],
    ["overlong UTF-8 of a slash", "USER ..\xc0\xafalice\r\nPASS wonder land\r\n"],
    ["a lone surrogate in UTF-8", "USER alice\xed\xa0\x80\r\nPASS wonder land\r\n"],
    ["half a character", "USER alice\xc3\r\nPASS wonder land\r\n"],
    ["a CR inside", "USER ali\rce\r\nPASS wonder land\r\n"],
    ["a CR before the line end", "USER alice\r\r\nPASS wonder land\r\n"],
    ["an escape", "USER \x1b[2Jalice\r\nPASS wonder land\r\n"],
  ]);
  for (const [what, said] of cases) {
    const answers = (await say(stage, octets(`${said}STAT\r\n`))).split("\r\n");
    assert(!answers.some((answer) => answer.startsWith("+OK 3 messages")), `${what}: ${answers}`);
    assertEquals(answers.at(-2), "-ERR Log in first", what);
  }
  // The same in the octets of AUTH PLAIN, where nothing but base64 is in the way.
  for (
    const message of [
      "\0alice\0wonder land\0",
      "\0alice\r\nPASS x\0wonder land",
      "bob\0alice\0wonder land",
      "\0../mail/alice\0wonder land",
    ]
  ) {
    const answers = await say(stage, `AUTH PLAIN ${btoa(message)}\r\nSTAT\r\n`);
    assert(answers.endsWith("-ERR Log in first\r\n"), answers);
  }
  await stage.serves();
});

Deno.test("names: a mailbox is never a domain, and a domain's user never another mailbox's folder", async () => {
  await using stage = await startStage({ tls: false, users: { "carol@example.org": "c" } });
  await makeMailbox(join(stage.maildir, "example.org", "carol"), "maildir", [messageOfSize(100)]);
  const answers = await say(
    stage,
    "USER carol@example.org\r\nPASS c\r\nSTAT\r\nQUIT\r\n",
  );
  assert(answers.includes("+OK 1 messages (100 octets)"), answers);
});
