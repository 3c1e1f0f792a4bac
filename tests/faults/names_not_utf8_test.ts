/** Messages whose file names are not UTF-8 were left out: 1 of 5 was served. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";

/** Puts an empty-handed program's files into a folder: names in Perl's notation, contents of so many octets. */
async function put(folder: string, names: readonly string[]): Promise<void> {
  const script = `for my $name (${names.map((name) => `"${name}"`).join(", ")}) {
    open my $file, ">", $name or die; print $file "Subject: $name\\r\\n\\r\\ntext\\r\\n" }`;
  const { success } = await new Deno.Command("perl", { args: ["-e", script], cwd: folder })
    .output();
  assert(success);
}

function names(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

Deno.test("messages whose names are not UTF-8 are listed, retrieved, marked and deleted under steady ids", async () => {
  await using folder = await temporaryFolder();
  const ada = join(folder.path, "ada");
  await makeMailbox(ada, "maildir", []);
  await put(join(ada, "new"), [
    "1.m\\xfcller",
    "2.\\xff",
    // Reads the same as the one before, where octets are replaced; and what the replacement itself reads like.
    "2.\\xfe",
    "2.\\xef\\xbf\\xbd",
    "3.\\xed\\xa0\\x80\\n\\xc3\\xa4",
  ]);
  await put(join(ada, "cur"), ["4.\\xff:2,", "5.\\xf4\\x90\\x80\\x80:2,F"]);
  await put(join(ada, "tmp"), ["6.\\xff"]);
  await using program = await startProgram({ maildir: folder.path, users: { ada: "secret" } });
  let before: string[] = [];
  {
    using client = await program.connect();
    await client.login("ada", "secret");
    assertEquals((await client.command("STAT")).split(" ")[1], "7");
    await client.ok("UIDL");
    before = new TextDecoder().decode(await client.multiline()).trim().split("\r\n");
    assertEquals(new Set(before.map((line) => line.split(" ")[1])).size, 7);
    for (let number = 1; number <= 7; number++) {
      const message = new TextDecoder("latin1").decode(await client.retrieve(number));
      assert(message.startsWith("Subject: ") && message.endsWith("text\r\n"), message);
    }
    await client.ok("DELE 2");
    await client.ok("DELE 6");
    assertEquals(await client.command("QUIT"), "+OK 5 messages left");
    await client.ended();
  }
  assertEquals(names(join(ada, "new")), []);
  assertEquals(names(join(ada, "cur")).length, 5);
  assert(names(join(ada, "cur")).every((name) => name.endsWith("S")));
  assertEquals(names(join(ada, "tmp")), ["6.\ufffd"]);
  using client = await program.connect();
  await client.login("ada", "secret");
  await client.ok("UIDL");
  const after = new TextDecoder().decode(await client.multiline()).trim().split("\r\n");
  const ids = (lines: string[]): string[] => lines.map((line) => line.split(" ")[1]!);
  assertEquals(ids(after), ids(before).filter((_, at) => at !== 1 && at !== 5));
});

Deno.test("no file takes another's place when its name is respelled, and a folder of somebody's own files keeps its names", async () => {
  await using folder = await temporaryFolder();
  const [ada, bob] = [join(folder.path, "ada"), join(folder.path, "bob")];
  await makeMailbox(ada, "maildir", []);
  await put(join(ada, "new"), ["1.\\xff", "1.%FF", `2.${"\\xff".repeat(200)}`, "\\xff"]);
  await Deno.symlink("/etc/passwd", join(ada, "new", "3.link"));
  await makeMailbox(bob, "folder", [messageOfSize(100)]);
  await put(bob, ["thesis-\\xfc.odt"]);
  await using program = await startProgram({
    maildir: folder.path,
    users: { ada: "secret", bob: "secret" },
  });
  for (let login = 0; login < 2; login++) {
    using client = await program.connect();
    await client.login("ada", "secret");
    // Two are left out: one whose new name is taken, and one whose would be too long.
    assertEquals((await client.command("STAT")).split(" ")[1], "2");
    await client.ok("QUIT");
  }
  assertEquals(names(join(ada, "new")).length, 5);
  using client = await program.connect();
  await client.login("bob", "secret");
  assertEquals(names(bob).filter((name) => name.startsWith("thesis")), ["thesis-\ufffd.odt"]);
});
