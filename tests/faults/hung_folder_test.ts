/** A mailbox on a dead file server, whose first call takes ten seconds, stopped a worker with all its sessions. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { delay } from "../../lib/async/delay.ts";
import { RECENT_MS } from "../../lib/mail/folder_probe.ts";
import {
  type Fault,
  faultTest,
  type FaultyProgram,
  startFaultyProgram,
} from "../support/fault_injection/fault_injection.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { eventually } from "../support/waiting.ts";

/** Everything that is asked of ada's mailbox. */
const HANGS: Fault = {
  calls: ["open", "stat", "opendir", "readdir", "unlink", "rename", "mkdir"],
  path: "/ada",
  delay: 60_000,
};
/** Answers that another session gets at least while one waits: where its thread stands still there are none. */
const ENOUGH = 50;

async function withAda(
  body: (faulty: FaultyProgram, bob: Pop3Client, folder: string) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  for (const user of ["ada", "bob"]) {
    await makeMailbox(join(folder.path, user), "maildir", [messageOfSize(300)]);
  }
  await using faulty = await startFaultyProgram({
    maildir: folder.path,
    users: { ada: "ada", bob: "bob" },
    flags: ["--workers", "1"],
  });
  using bob = await faulty.program.connect();
  await bob.login("bob", "bob");
  await body(faulty, bob, folder.path);
}

/** Asks for an answer, and counts what another session is answered meanwhile. */
async function answerBeside(
  other: Pop3Client,
  pending: Promise<string>,
): Promise<{ answer: string; others: number }> {
  let isOver = false;
  const over = (): void => void (isOver = true);
  pending.then(over, over);
  let others = 0;
  while (!isOver) {
    await other.ok("NOOP");
    others++;
  }
  return { answer: await pending, others };
}

function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}

async function beginLogin({ program }: FaultyProgram): Promise<Pop3Client> {
  const ada = await program.connect();
  await ada.line();
  await ada.ok("USER ada");
  return ada;
}

faultTest(
  "a login to a mailbox that hangs is refused for now, others go on, and later it works",
  async () => {
    await withAda(async (faulty, bob) => {
      await faulty.faults.set({ faults: [HANGS] });
      using ada = await beginLogin(faulty);
      const first = await answerBeside(bob, ada.command("PASS ada"));
      assert(first.answer.startsWith("-ERR [SYS/TEMP]"), first.answer);
      assert(first.others >= ENOUGH, `${first.others} answers`);
      // While one question hangs, no other is asked.
      using again = await beginLogin(faulty);
      const asked = (await faulty.faults.hits()).length;
      assert((await again.command("PASS ada")).startsWith("-ERR [SYS/TEMP]"));
      assertEquals((await faulty.faults.hits()).length, asked);
      await faulty.faults.clear();
      await eventually("a login", async () => {
        using later = await beginLogin(faulty);
        return (await later.command("PASS ada")).startsWith("+OK");
      });
    });
  },
);

faultTest("a client that leaves while its mailbox hangs frees the maildrop", async () => {
  await withAda(async (faulty) => {
    await faulty.faults.set({ faults: [HANGS] });
    const ada = await beginLogin(faulty);
    await ada.send("PASS ada\r\n");
    await faulty.faults.hit("stat", "/ada");
    ada[Symbol.dispose]();
    await faulty.faults.clear();
    await eventually("a login", async () => {
      using later = await beginLogin(faulty);
      return (await later.command("PASS ada")).startsWith("+OK");
    });
  });
});

faultTest(
  "a QUIT whose mailbox hangs says so, ends the session and frees the maildrop",
  async () => {
    await withAda(async (faulty, bob, folder) => {
      using ada = await beginLogin(faulty);
      await ada.ok("PASS ada");
      await ada.ok("DELE 1");
      // Written behind the login's answer, where nothing asks first whether the folder hangs.
      await eventually("the cache", () => exists(join(folder, "ada/.postern-cache")));
      await faulty.faults.set({ faults: [HANGS] });
      // What answered a moment ago is not asked again. A busy machine makes this longer, which changes nothing.
      await delay(RECENT_MS + 100);
      const { answer, others } = await answerBeside(bob, ada.command("QUIT"));
      assert(answer.startsWith("-ERR [SYS/TEMP] some deleted messages not removed"), answer);
      assert(others >= ENOUGH, `${others} answers`);
      await ada.ended();
      await faulty.faults.clear();
      await eventually("a login with the message still there", async () => {
        using later = await beginLogin(faulty);
        const login = await later.command("PASS ada");
        if (!login.startsWith("+OK")) return false;
        assertEquals((await later.command("STAT")).split(" ")[1], "1");
        return true;
      });
    });
  },
);
