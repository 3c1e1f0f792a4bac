// Ids that an import brought: kept in the mailbox's .postern-uidl, in the order that clients knew.
import { assertEquals, assertRejects } from "@std/assert";
import { MaildropUnreadableError } from "../../lib/contracts/mail_store.ts";
import type { FolderMailStoreOptions } from "../../lib/mail/folder/folder_mail_store.ts";
import { TempMail } from "./temp_mail.ts";

const FILE = ".postern-uidl";
const DAY = 24 * 60 * 60;

/** A login's ids, in order. */
async function ids(
  mail: TempMail,
  options: Partial<FolderMailStoreOptions> = {},
): Promise<string[]> {
  await using drop = await mail.store(options).acquire("ada");
  return drop.messages.map(({ uid }) => uid);
}

const text = (mail: TempMail): string => Deno.readTextFileSync(mail.path("ada", FILE));
const lines = (...rows: string[]): string => ["postern-uidl 1", ...rows, ""].join("\n");
const now = (): number => Math.floor(Date.now() / 1000);

Deno.test("messages have the ids of their lines, those with a place first, the others by delivery", async () => {
  using mail = new TempMail();
  mail.maildir("ada", {
    "cur/1699999999.M1P9.mx,S=2,W=3:2,S": "a\n",
    "new/1700000123.V1I2.mx": "b\n",
    "new/1600000000.M1P1.mx": "c\n",
  });
  mail.put("ada", {
    [FILE]: lines(
      "1699999999.M1P9.mx,S=2,W=3\tUID17-1650000000\t2",
      "1700000123.V1I2.mx\t000000126560a1b2\t1",
    ),
  });
  for (let login = 0; login < 2; login++) {
    assertEquals(await ids(mail), [
      "000000126560a1b2",
      "UID17-1650000000",
      "1600000000.M1P1.mx",
    ]);
  }
});

Deno.test("a line without an order gives its id, and the message its place by delivery", async () => {
  using mail = new TempMail();
  mail.maildir("ada", { "new/1.a": "a\n", "new/2.b": "b\n" });
  mail.put("ada", { [FILE]: lines("1.a\tfirst", "2.b\tsecond\t7") });
  assertEquals(await ids(mail), ["second", "first"]);
});

Deno.test("octets that a line cannot hold as they are stand in it as %XX", async () => {
  using mail = new TempMail();
  mail.maildir("ada", { "new/1.ä b%": "a\n" });
  mail.put("ada", { [FILE]: lines("1.%C3%A4%20b%25\t100%25\t1") });
  assertEquals(await ids(mail), ["100%"]);
});

Deno.test("a line holds whatever becomes of flags, folder and sizes in the name", async () => {
  using mail = new TempMail();
  mail.maildir("ada", { "cur/1.a,S=2,U=7:2,FS": "a\n" });
  mail.put("ada", { [FILE]: lines("1.a,S=2,W=3\tkept\t1") });
  assertEquals(await ids(mail), ["kept"]);
});

Deno.test("an id that would be made from a name and is a line's becomes a hash, which is written down", async () => {
  using mail = new TempMail();
  mail.maildir("ada", { "new/1.a": "a\n", "new/2.b": "b\n" });
  mail.put("ada", { [FILE]: lines("1.a\t2.b\t1") });
  const [first, second] = await ids(mail);
  assertEquals(first, "2.b");
  assertEquals(second!.startsWith("="), true);
  assertEquals(text(mail), lines("1.a\t2.b\t1", `2.b\t${second}`));
  Deno.removeSync(mail.path("ada", "new/1.a"));
  assertEquals(await ids(mail), [second!], "the id of what is gone is given to nobody");
});

Deno.test("of two lines with one id the first by order has it", async () => {
  using mail = new TempMail();
  mail.maildir("ada", { "new/1.a": "a\n", "new/2.b": "b\n" });
  mail.put("ada", { [FILE]: lines("1.a\tsame\t2", "2.b\tsame\t1") });
  assertEquals(await ids(mail), ["same", "1.a"]);
});

Deno.test("the line of a message that is gone stays 30 days, and comes back with it", async () => {
  using mail = new TempMail();
  mail.maildir("ada", { "new/1.a": "a\n" });
  mail.put("ada", {
    [FILE]: lines(
      "1.a\tone\t1",
      "2.b\ttwo\t2",
      `3.c\tthree\t3\t${now() - 29 * DAY}`,
      `4.d\tfour\t4\t${now() - 31 * DAY}`,
    ),
  });
  assertEquals(await ids(mail), ["one"]);
  const written = text(mail).split("\n").map((line) => line.split("\t"));
  assertEquals(written.map(([key]) => key), ["postern-uidl 1", "1.a", "2.b", "3.c", ""]);
  assertEquals(Math.abs(Number(written[2]![3]) - now()) < 60, true);
  mail.put("ada", { "new/3.c": "c\n", "new/2.b": "b\n" });
  assertEquals(await ids(mail), ["one", "two", "three"]);
  assertEquals(text(mail), lines("1.a\tone\t1", "2.b\ttwo\t2", "3.c\tthree\t3"));
});

Deno.test("a damaged file is an error of the login and no reason for new ids", async () => {
  for (
    const damaged of [
      "",
      "garbage\n",
      "postern-uidl 2\n1.a\tone\t1\n",
      "postern-uidl 1\n1.a\tone\t1",
      "postern-uidl 1\n1.a\n",
      "postern-uidl 1\n1.a\t\t1\n",
      "postern-uidl 1\n1.a\tone\tx\n",
      "postern-uidl 1\n1.a\tone two\t1\n",
      "postern-uidl 1\n1.ä\tone\t1\n",
      `postern-uidl 1\n1.a\t${"x".repeat(71)}\t1\n`,
      "postern-uidl 1\n1.a%zz\tone\t1\n",
      "postern-uidl 1\n1.a\tone\t1\t2\t3\n",
    ]
  ) {
    using mail = new TempMail();
    mail.maildir("ada", { "new/1.a": "a\n" });
    mail.put("ada", { [FILE]: damaged });
    const error = await assertRejects(() => ids(mail), MaildropUnreadableError);
    assertEquals(error.message.includes(FILE), true, error.message);
    assertEquals(text(mail), damaged, "it is left as it is");
  }
});

Deno.test("in a plain folder a line belongs to a name with a size", async () => {
  using mail = new TempMail();
  mail.put("ada", { "1.eml": "a\n", "2.eml": "longer\n" });
  mail.put("ada", { [FILE]: lines("2.eml/7\ttwo\t1", "1.eml/3\tother\t2") });
  const [first, second] = await ids(mail);
  assertEquals(first, "two");
  assertEquals(second!.startsWith("1.eml/"), true);
});

Deno.test("with max_messages, the first by place are served", async () => {
  using mail = new TempMail();
  mail.maildir("ada", { "new/1.a": "a\n", "new/2.b": "b\n", "new/3.c": "c\n" });
  mail.put("ada", { [FILE]: lines("3.c\tthree\t1", "1.a\tone\t2", "2.b\ttwo\t3") });
  assertEquals(await ids(mail, { maxMessages: 2 }), ["three", "one"]);
  assertEquals(mail.warnings.length, 1);
});

Deno.test("messages are removed and opened by their numbers, whatever their order", async () => {
  using mail = new TempMail();
  mail.maildir("ada", { "new/1.a": "a\n", "new/2.b": "bb\n" });
  mail.put("ada", { [FILE]: lines("1.a\tone\t2", "2.b\ttwo\t1") });
  {
    await using drop = await mail.store().acquire("ada");
    using message = await drop.open(drop.messages[0]!);
    assertEquals(message.storedSize, 3);
    await drop.remove([drop.messages[0]!]);
  }
  assertEquals(mail.names("ada", "new"), ["1.a"]);
  assertEquals(await ids(mail), ["one"]);
});

Deno.test("a link, a FIFO, a folder or another's file in its place is never read", async () => {
  const elsewhere = Deno.makeTempFileSync();
  Deno.writeTextFileSync(elsewhere, lines("1.a\tstolen\t1"));
  try {
    const plant: Record<string, (path: string) => void> = {
      link: (path) => Deno.symlinkSync(elsewhere, path),
      folder: (path) => Deno.mkdirSync(path),
      fifo: (path) => void new Deno.Command("mkfifo", { args: [path] }).outputSync(),
    };
    for (const [what, put] of Object.entries(plant)) {
      using mail = new TempMail();
      mail.maildir("ada", { "new/1.a": "a\n" });
      put(mail.path("ada", FILE));
      await assertRejects(() => ids(mail), MaildropUnreadableError, FILE, what);
    }
  } finally {
    Deno.removeSync(elsewhere);
  }
});

Deno.test({
  name: "in a mailbox of another account, a link to a file of somebody else's is refused",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    using mail = new TempMail();
    mail.maildir("ada", { "new/1.a": "a\n" });
    mail.put("bob", { secret: lines("1.a\tstolen\t1") });
    mail.give("ada", 4321);
    for (const owner of [0, 4322]) {
      Deno.chownSync(mail.path("bob", "secret"), owner, owner);
      Deno.linkSync(mail.path("bob", "secret"), mail.path("ada", FILE));
      await assertRejects(() => ids(mail), MaildropUnreadableError, "another account");
      Deno.removeSync(mail.path("ada", FILE));
    }
  },
});

Deno.test({
  name: "what the server writes has owner and mode of the mailbox",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    using mail = new TempMail();
    mail.maildir("ada", { "new/1.a": "a\n" });
    mail.put("ada", { [FILE]: lines("1.a\tone\t1", "2.b\ttwo\t2") });
    mail.give("ada", 4321);
    Deno.chmodSync(mail.path("ada"), 0o750);
    assertEquals(await ids(mail), ["one"]);
    const { uid, gid, mode } = Deno.statSync(mail.path("ada", FILE));
    assertEquals([uid, gid, mode! & 0o7777], [4321, 4321, 0o640]);
    assertEquals(text(mail).includes("2.b\ttwo\t2\t"), true);
  },
});

Deno.test("a file with more lines than the mailbox justifies takes no memory for them", async () => {
  using mail = new TempMail();
  mail.maildir("ada", { "new/1.a": "a\n" });
  mail.put("ada", { [FILE]: `postern-uidl 1\n${"a\tb\n".repeat(300_000)}` });
  await assertRejects(() => ids(mail), MaildropUnreadableError, "lines");
  Deno.truncateSync(mail.path("ada", FILE), 300_000_000);
  await assertRejects(() => ids(mail), MaildropUnreadableError, "octets");
});
