/**
 * A marked message's name that another program gives to another message: QUIT removed what had the name by then, a message that was never listed,
 * and said +OK. Which file a message is, is known by inode, time of birth, size and time, and asked just before it is removed.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageFiles, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";

/** What another program does to the second message, by its path and its mailbox's; returns where the other message lies then. */
type Reuse = (path: string, mailbox: string, other: Uint8Array) => Promise<string>;

const NAME = "1700000002.M100002P1.host";

const REUSES: Readonly<Record<string, Reuse>> = {
  "removed and delivered anew": async (path, _mailbox, other) => {
    await Deno.remove(path);
    await Deno.writeFile(path, other);
    return path;
  },
  "filed away, and its name delivered to again": async (path, mailbox, other) => {
    await Deno.rename(path, join(mailbox, "elsewhere"));
    await Deno.writeFile(path, other);
    return path;
  },
  "filed away under its seen name, and delivered to new again": async (path, mailbox, other) => {
    const seen = join(mailbox, "cur", `${NAME}:2,S`);
    await Deno.rename(path, seen);
    await Deno.rename(seen, join(mailbox, "elsewhere"));
    await Deno.writeFile(path, other);
    return path;
  },
  "replaced by renaming another file to its name": async (path, mailbox, other) => {
    await Deno.writeFile(join(mailbox, "tmp", "x"), other);
    await Deno.rename(join(mailbox, "tmp", "x"), path);
    return path;
  },
  "replaced by a file of the same size and time": async (path, mailbox, other) => {
    const { mtime } = await Deno.lstat(path);
    await Deno.writeFile(join(mailbox, "tmp", "x"), other);
    await Deno.utime(join(mailbox, "tmp", "x"), mtime!, mtime!);
    await Deno.rename(join(mailbox, "tmp", "x"), path);
    return path;
  },
  "gone, and another delivered to cur under its unique name": async (path, mailbox, other) => {
    await Deno.remove(path);
    const seen = join(mailbox, "cur", `${NAME}:2,S`);
    await Deno.writeFile(seen, other);
    return seen;
  },
};

Deno.test("a marked message's name that is used again keeps the new message", async (t) => {
  await using folder = await temporaryFolder();
  const messages = [1, 2, 3].map((n) => messageOfSize(300, `message ${n}`));
  const cases = Object.entries(REUSES);
  const users = Object.fromEntries(cases.map((_, index) => [`user${index}`, "secret"]));
  for (const user of Object.keys(users)) {
    await makeMailbox(join(folder.path, user), "maildir", messages);
  }
  await using program = await startProgram({ maildir: folder.path, users });
  for (const [index, [name, reuse]] of cases.entries()) {
    await t.step(name, async () => {
      const user = `user${index}`;
      const mailbox = join(folder.path, user);
      const other = messageOfSize(300, "never listed");
      using client = await program.connect();
      await client.login(user, "secret");
      await client.ok("DELE 2");
      await client.ok("DELE 3");
      const place = await reuse(join(mailbox, "new", NAME), mailbox, other);
      // The message that was marked is gone already, and that counts as removed.
      assertEquals(await client.command("QUIT"), "+OK 1 messages left");
      await client.ended();
      assertEquals(await Deno.readFile(place), other);
      using next = await program.connect();
      await next.login(user, "secret");
      assertMatch(await next.command("STAT"), /^\+OK 2 /);
    });
  }
});

Deno.test("a message whose name is used again is not sent, and the other is not marked seen", async () => {
  await using folder = await temporaryFolder();
  const mailbox = join(folder.path, "ada");
  await makeMailbox(mailbox, "maildir", [300, 301, 302].map((size) => messageOfSize(size)));
  await using program = await startProgram({ maildir: folder.path, users: { ada: "secret" } });
  using client = await program.connect();
  await client.login("ada", "secret");
  await client.retrieve(2);
  await client.ok("NOOP");
  await REUSES["replaced by renaming another file to its name"]!(
    join(mailbox, "new", NAME),
    mailbox,
    messageOfSize(900, "never listed"),
  );
  assertMatch(await client.command("RETR 2"), /^-ERR /);
  assertMatch(await client.command("TOP 2 0"), /^-ERR /);
  await client.retrieve(3);
  await client.ok("QUIT");
  await client.ended();
  const files = await messageFiles(mailbox);
  assert(files.includes(`new/${NAME}`), files.join());
});

Deno.test("a marked message that another program writes to meanwhile stays, and QUIT says so", async () => {
  await using folder = await temporaryFolder();
  const mailbox = join(folder.path, "ada");
  await makeMailbox(mailbox, "maildir", [300, 301].map((size) => messageOfSize(size)));
  await using program = await startProgram({ maildir: folder.path, users: { ada: "secret" } });
  {
    using client = await program.connect();
    await client.login("ada", "secret");
    await client.ok("DELE 1");
    await client.ok("DELE 2");
    await Deno.writeFile(join(mailbox, "new", NAME), messageOfSize(42), { append: true });
    const answer = await client.command("QUIT");
    assertEquals(answer, "-ERR [SYS/TEMP] some deleted messages not removed (1 of 2)");
    await client.ended();
  }
  using client = await program.connect();
  await client.login("ada", "secret");
  assertEquals(await client.command("STAT"), "+OK 1 343");
  await client.ok("DELE 1");
  assertEquals(await client.command("QUIT"), "+OK 0 messages left");
});
