/** `--max-sessions-per-user 5`: five sessions on one maildrop share the lock, see the same unique-ids, and their deletions add up. */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageFiles, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

const MESSAGES = 7;

for (const workers of ["1", "2"]) {
  Deno.test(`five sessions on one maildrop, over ${workers} workers`, async () => {
    await using folder = await temporaryFolder();
    const mailbox = join(folder.path, "ada");
    const sizes = Array.from({ length: MESSAGES }, (_, at) => messageOfSize(300 + at));
    await makeMailbox(mailbox, "maildir", sizes);
    await using program = await startProgram({
      maildir: folder.path,
      users: { ada: "ada" },
      flags: ["--max-sessions-per-user", "5", "--workers", workers],
    });
    using clients = new DisposableStack();
    const sessions = [];
    for (let number = 0; number < 5; number++) {
      const client = clients.use(await program.connect());
      await client.login("ada", "ada");
      sessions.push(client);
    }
    using sixth = await program.connect();
    await sixth.line();
    await sixth.ok("USER ada");
    assertMatch(await sixth.command("PASS ada"), /^-ERR \[IN-USE\]/);

    const ids = [];
    for (const client of sessions) {
      await client.ok("UIDL");
      ids.push(await client.list());
    }
    assertEquals(ids[0]!.length, MESSAGES);
    for (const each of ids) assertEquals(each, ids[0]);

    // Each deletes one of its own, and all of them the last: what another removed counts as removed.
    for (const [at, client] of sessions.entries()) {
      await client.retrieve(at + 1);
      await client.ok(`DELE ${at + 1}`);
      await client.ok(`DELE ${MESSAGES}`);
    }
    // Nothing is gone before QUIT, and each still sees what it saw at its login.
    assertEquals((await messageFiles(mailbox)).length, MESSAGES);
    const [first, ...others] = sessions;
    assertMatch(await first!.command("QUIT"), /^\+OK 5 messages left$/);
    assertMatch(await others[0]!.command("STAT"), /^\+OK 5 /);
    assertMatch(await others[0]!.command("RETR 1"), /^-ERR/);
    for (const client of others) {
      assertMatch(await client.command("QUIT"), /^\+OK 5 messages left$/);
    }

    await eventually("one message left", async () => (await messageFiles(mailbox)).length === 1);
    using later = await program.connect();
    assertMatch(await later.login("ada", "ada"), /1 messages \(305 octets\)/);
    await later.ok("UIDL");
    assertEquals((await later.list()).map((line) => line.split(" ")[1]), [
      ids[0]![5]!.split(" ")[1],
    ]);
  });
}
