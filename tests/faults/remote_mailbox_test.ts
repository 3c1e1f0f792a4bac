/** A mailbox on a file server that dies in the middle of a session, without ever having been slow before. */

import { assert, assertMatch } from "@std/assert";
import { join } from "node:path";
import { faultTest, startFaultyProgram } from "../support/fault_injection/fault_injection.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";

/** A program in the place of `cat`, which tells of every file system of this machine that it is a file server's. */
const CAT = `#!/bin/sh
export PATH=/usr/bin:/bin
cat "$@" | sed 's/ - [a-z0-9.]* / - nfs4 /'
`;

faultTest(
  "a remote mailbox is served beside its thread, which goes on when a call hangs",
  async () => {
    await using folder = await temporaryFolder();
    const [mail, programs] = [join(folder.path, "mail"), join(folder.path, "bin")];
    for (const user of ["ada", "bob"]) {
      await makeMailbox(join(mail, user), "maildir", [messageOfSize(300), messageOfSize(900_000)]);
    }
    await Deno.mkdir(programs);
    await Deno.writeTextFile(join(programs, "cat"), CAT, { mode: 0o755 });
    await using faulty = await startFaultyProgram({
      maildir: mail,
      users: { ada: "x", bob: "x" },
      flags: ["--workers", "1", "--grace", "1"],
      env: { PATH: `${programs}:${Deno.env.get("PATH")}` },
    });
    using bob = await faulty.program.connect();
    await bob.login("bob", "x");
    using ada = await faulty.program.connect();
    await ada.login("ada", "x");
    const { length } = await ada.retrieve(2);
    assert(length === 900_000, `${length} octets`);
    await faulty.faults.set({ faults: [{ calls: ["open"], path: "/ada/new", delay: 600_000 }] });
    let isOver = false;
    const retrieving = ada.command("RETR 1").finally(() => isOver = true);
    let answers = 0;
    while (!isOver) {
      await bob.ok("NOOP");
      answers++;
    }
    assertMatch(await retrieving, /^-ERR \[SYS\/TEMP\] Message 1 cannot be read now/);
    assert(answers > 1000, `${answers} answers`);
    // What the session asks for is refused at once from now on.
    assertMatch(await ada.command("RETR 2"), /^-ERR \[SYS\/TEMP\] /);
    await faulty.faults.clear();
  },
);

faultTest(
  "a message whose opening hangs in the transformers' thread keeps others from theirs for seconds only",
  async () => {
    await using folder = await temporaryFolder();
    for (const user of ["ada", "bob"]) {
      await makeMailbox(join(folder.path, user), "maildir", [messageOfSize(300)]);
    }
    await using faulty = await startFaultyProgram({
      maildir: folder.path,
      users: { ada: "x", bob: "x" },
      flags: ["--workers", "1", "--grace", "1", "--transformer", "cat"],
    });
    const [ada, bob] = [await faulty.program.connect(), await faulty.program.connect()];
    using _ada = ada;
    using _bob = bob;
    await ada.login("ada", "x");
    await bob.login("bob", "x");
    await bob.retrieve(1);
    // The session worker opens the message first, and the transformers' thread again.
    await faulty.faults.set({
      faults: [{ calls: ["open"], path: "/ada/new", after: 1, times: 1, delay: 600_000 }],
    });
    assertMatch(
      await ada.command("RETR 1"),
      /^-ERR \[SYS\/TEMP\] Message 1 cannot be filtered now/,
    );
    assert((await bob.retrieve(1)).length === 300);
    await faulty.faults.clear();
  },
);
