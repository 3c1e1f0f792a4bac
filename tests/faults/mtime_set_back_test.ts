/** New mail stayed hidden when a program set the folder's time back behind it, as `rsync -a`, `tar` and `cp -a` do. */

import { assert } from "@std/assert";
import { join } from "node:path";
import { deliver, makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";

async function messages(program: RunningProgram): Promise<number> {
  using client = await program.connect();
  const answer = await client.login("ann", "secret");
  await client.ok("QUIT");
  await client.ended();
  return Number(/^\+OK (\d+) messages/.exec(answer)![1]);
}

Deno.test("mail that came before the folder's time was set back is listed", async () => {
  await using folder = await temporaryFolder();
  const mailbox = join(folder.path, "ann");
  await makeMailbox(mailbox, "maildir", [messageOfSize(120)]);
  const time = new Date(1_700_000_000_000);
  const setBack = (): Promise<void> => Deno.utime(join(mailbox, "new"), time, time);
  await setBack();
  await Deno.utime(join(mailbox, "cur"), time, time);
  await using program = await startProgram({ maildir: folder.path, users: { ann: "secret" } });
  for (let count = 1; count < 6; count++) {
    const told = await messages(program);
    assert(told === count, `${told} of ${count} messages`);
    const name = `${1_700_000_100 + count}.M1P1.host`;
    await deliver(mailbox, "maildir", { bytes: messageOfSize(100), name });
    await setBack();
  }
});
