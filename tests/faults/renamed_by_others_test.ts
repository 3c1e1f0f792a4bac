/** A message to whose name another program added something was gone: RETR failed, DELE and QUIT said +OK and removed nothing, and its id changed. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { startProgram } from "../support/program.ts";

const BASE = "1700000001.M1P1.host";

/** Names that a file has one after the other. */
const RENAMINGS: Readonly<Record<string, readonly string[]>> = {
  "mbsync's number": [`new/${BASE}`, `cur/${BASE},U=12:2,`, `cur/${BASE},U=12:2,S`],
  "another number of mbsync's": [`cur/${BASE},U=12:2,S`, `cur/${BASE},U=13:2,S`],
  "mbsync's number behind sizes": [
    `cur/${BASE},S=300,W=300:2,`,
    `cur/${BASE},S=300,W=300,U=7:2,S`,
  ],
  "a size that is corrected": [`cur/${BASE},S=12:2,S`, `cur/${BASE},S=300:2,S`],
  "a size that is added": [`cur/${BASE},S=300:2,S`, `cur/${BASE},S=300,W=300:2,S`],
  "a wrong size that is taken away": [`cur/${BASE},S=300,W=-1:2,S`, `cur/${BASE},S=300:2,S`],
  "flags behind a semicolon": [`new/${BASE}`, `cur/${BASE};2,S`, `cur/${BASE};2,RS`],
  "flags behind an exclamation mark": [`cur/${BASE}:2,`, `cur/${BASE}!2,F`],
  "all at once": [`new/${BASE},S=1`, `cur/${BASE},U=3,S=300,W=300;2,FS`, `cur/${BASE}:2,`],
};

async function uids(client: Pop3Client): Promise<string[]> {
  await client.ok("UIDL");
  return await client.list();
}

Deno.test("a message stays the same one when other programs change its name", async (test) => {
  await using folder = await temporaryFolder();
  const message = messageOfSize(300, "the renamed one");
  const cases = Object.entries(RENAMINGS).map(([what, names], index) => ({
    what,
    names,
    user: `user${index}`,
    mailbox: join(folder.path, `user${index}`),
  }));
  for (const { names, mailbox } of cases) {
    await makeMailbox(mailbox, "maildir", [
      { bytes: messageOfSize(100), name: "1700000000.M1P1.host" },
      { bytes: message, folder: names[0]!.slice(0, 3) as "new" | "cur", name: names[0]!.slice(4) },
      { bytes: messageOfSize(100), name: "1700000002.M1P1.host" },
    ]);
  }
  await using program = await startProgram({
    maildir: folder.path,
    users: Object.fromEntries(cases.map(({ user }) => [user, "secret"])),
    flags: ["--no-flag-updates"],
  });
  for (const { what, names, user, mailbox } of cases) {
    await test.step(what, async () => {
      const rename = (from: string, to: string): Promise<void> =>
        Deno.rename(join(mailbox, from), join(mailbox, to));
      let expected: string[] | undefined;
      const session = async (visit: (client: Pop3Client) => Promise<void>, left = 3) => {
        using client = await program.connect();
        await client.login(user, "secret");
        const told = await uids(client);
        assertEquals(told, expected ?? told, "in the next session");
        expected = told;
        await visit(client);
        assertEquals(await client.command("QUIT"), `+OK ${left} messages left`);
        await client.ended();
      };
      for (let step = 1; step < names.length; step++) {
        await session(async (client) => {
          await rename(names[step - 1]!, names[step]!);
          assertEquals(await client.retrieve(2), message, `as ${names[step]}`);
          assertEquals(await uids(client), expected);
        });
      }
      await session(async (client) => assertEquals(await client.retrieve(2), message));
      // Back to the first name, now while it is marked.
      await session(async (client) => {
        await client.ok("DELE 2");
        await rename(names.at(-1)!, names[0]!);
      }, 2);
      for (const which of ["new", "cur"]) {
        const left = [...Deno.readDirSync(join(mailbox, which))].map((entry) => entry.name);
        assert(!left.some((name) => name.startsWith(BASE)), left.join());
      }
    });
  }
});

Deno.test("mbsync's number changes no id, also where nothing is kept of the mailbox", async () => {
  await using folder = await temporaryFolder();
  const mailbox = join(folder.path, "ann");
  await makeMailbox(mailbox, "maildir", [{ bytes: messageOfSize(100), name: BASE }]);
  await using program = await startProgram({ maildir: folder.path, users: { ann: "secret" } });
  const told: string[][] = [];
  for (const name of [undefined, `cur/${BASE},U=12:2,S`]) {
    if (name !== undefined) await Deno.rename(join(mailbox, "new", BASE), join(mailbox, name));
    using client = await program.connect();
    await client.login("ann", "secret");
    told.push(await uids(client));
    await client.ok("QUIT");
    await client.ended();
    await Deno.remove(join(mailbox, ".postern-cache"));
  }
  assertEquals(told, [[`1 ${BASE}`], [`1 ${BASE}`]]);
});

Deno.test("a retrieved message is marked seen behind what separates flags in its mailbox", async () => {
  await using folder = await temporaryFolder();
  const mailbox = join(folder.path, "ann");
  await makeMailbox(mailbox, "maildir", [
    { bytes: messageOfSize(100), name: "1700000000.M1P1.host" },
    { bytes: messageOfSize(100), name: "1700000001.M1P1.host;2,F", folder: "cur" },
  ]);
  await using program = await startProgram({ maildir: folder.path, users: { ann: "secret" } });
  using client = await program.connect();
  await client.login("ann", "secret");
  for (const number of [1, 2]) await client.retrieve(number);
  await client.ok("QUIT");
  await client.ended();
  const names = [...Deno.readDirSync(join(mailbox, "cur"))].map((entry) => entry.name).sort();
  assertEquals(names, ["1700000000.M1P1.host;2,S", "1700000001.M1P1.host;2,FS"]);
});
