/**
 * A folder that opens and then cannot be read (a file server that is away, a damaged folder): the runtime's synchronous listing keeps that to
 * itself and tells no names, and no name must not be taken for no mail.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import {
  ERRNO,
  faultTest,
  startFaultyProgram,
} from "../support/fault_injection/fault_injection.ts";
import { makeMailbox, messageFiles, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";

const MESSAGES = [1, 2, 3].map((number) => messageOfSize(300 + number));

for (const layout of ["maildir", "folder"] as const) {
  faultTest(
    `a ${layout} whose listing fails is refused at login, and not shown as empty`,
    async () => {
      await using folder = await temporaryFolder();
      const mailbox = join(folder.path, "alice");
      await makeMailbox(mailbox, layout, MESSAGES);
      await using stage = await startFaultyProgram({
        maildir: folder.path,
        users: { alice: "secret" },
        flags: ["--auth-delay", "0"],
      });
      const { program, faults } = stage;
      for (const errno of [ERRNO.EIO, ERRNO.ESTALE, ERRNO.EUCLEAN]) {
        await faults.set({ faults: [{ calls: ["readdir"], path: mailbox, errno }] });
        using client = await program.connect();
        await client.line();
        await client.ok("USER alice");
        assertMatch(await client.command("PASS secret"), /^-ERR \[SYS\/TEMP\]/);
        await faults.hit("readdir", "alice");
        await faults.clear();
        await client.ok("USER alice");
        assertMatch(await client.command("PASS secret"), /^\+OK 3 messages/);
        await client.ok("QUIT");
        await client.ended();
        // So that the next login lists it again.
        await makeMailbox(mailbox, layout, MESSAGES);
      }
    },
  );
}

faultTest(
  "a marked message that another program renamed stays, and is told to, when QUIT's listing fails",
  async () => {
    await using folder = await temporaryFolder();
    const mailbox = join(folder.path, "alice");
    await makeMailbox(mailbox, "maildir", MESSAGES);
    await using stage = await startFaultyProgram({
      maildir: folder.path,
      users: { alice: "secret" },
      flags: ["--auth-delay", "0"],
    });
    const { program, faults } = stage;
    using client = await program.connect();
    await client.login("alice", "secret");
    await client.ok("DELE 2");
    await client.ok("DELE 3");
    const name = (await messageFiles(mailbox)).find((path) => path.includes("1700000002"))!;
    await Deno.rename(join(mailbox, name), join(mailbox, "cur", "1700000002.M100002P1.host:2,F"));
    await faults.set({ faults: [{ calls: ["readdir"], path: mailbox, errno: ERRNO.ESTALE }] });
    assertEquals(
      await client.command("QUIT"),
      "-ERR [SYS/TEMP] some deleted messages not removed (1 of 2)",
    );
    await client.ended();
    await faults.clear();
    assert((await messageFiles(mailbox)).some((path) => path.includes("1700000002")));
  },
);
