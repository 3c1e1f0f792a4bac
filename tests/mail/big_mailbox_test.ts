/** A mailbox so big that its messages are measured without a look at their times. */

import { assert, assertEquals } from "@std/assert";
import { FolderMailStore } from "../../lib/mail/folder/folder_mail_store.ts";
import { NO_HELD_FOLDERS } from "../support/held_folders.ts";
import type { MessageInfo } from "../../lib/contracts/mail_store.ts";
import { TestRunningTime } from "../support/test_clock.ts";

const MESSAGES = 4200;

async function withBigMailbox(
  body: (path: string, login: () => Promise<readonly MessageInfo[]>) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    const path = `${root}/ann`;
    for (const folder of ["cur", "new", "tmp"]) {
      Deno.mkdirSync(`${path}/${folder}`, { recursive: true });
    }
    for (let number = 0; number < MESSAGES; number++) {
      Deno.writeTextFileSync(
        `${path}/new/${1_700_000_000 + number}.M1P1.host`,
        `A: ${number}\n\nx\n`,
      );
    }
    const running = new TestRunningTime();
    const options = { maxMessages: 0, expireDays: 0, flagUpdates: true, running, warn: () => {} };
    const store = new FolderMailStore({
      root,
      account: Deno.uid()!,
      held: NO_HELD_FOLDERS,
      ...options,
    });
    await body(path, async () => {
      await using maildrop = await store.acquire("ann");
      return [...maildrop.messages];
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const told = (messages: readonly MessageInfo[]): [string, number][] =>
  messages.map(({ uid, size }) => [uid, size]);
const ids = (messages: readonly MessageInfo[]): string[] => messages.map(({ uid }) => uid);

Deno.test("a big mailbox tells the same sizes and ids in each login", async () => {
  await withBigMailbox(async (_path, login) => {
    const first = await login();
    assertEquals(first.length, MESSAGES);
    // `A: 7`, an empty line and `x`, each with CRLF.
    assertEquals(first[7]?.size, 11);
    assertEquals(told(await login()), told(first));
  });
});

Deno.test("a big mailbox keeps its ids when a twin of a message comes", async () => {
  await withBigMailbox(async (path, login) => {
    const before = ids(await login());
    Deno.writeTextFileSync(`${path}/cur/1700000007.M1P1.host:2,S`, "A: another\n\nbody\n");
    const after = ids(await login());
    assertEquals(new Set(after).size, MESSAGES + 1);
    assert(before.every((uid) => after.includes(uid)));
    assertEquals(ids(await login()), after);
  });
});

Deno.test("a message of a big mailbox that was edited in place is sent as it is now", async () => {
  await withBigMailbox(async (path, login) => {
    await login();
    Deno.writeTextFileSync(`${path}/new/1700000003.M1P1.host`, "A: 3\n\na longer body\n");
    const root = path.slice(0, path.lastIndexOf("/"));
    const running = new TestRunningTime();
    const options = { maxMessages: 0, expireDays: 0, flagUpdates: true, running, warn: () => {} };
    await using maildrop = await new FolderMailStore({
      root,
      account: Deno.uid()!,
      held: NO_HELD_FOLDERS,
      ...options,
    })
      .acquire("ann");
    using message = await maildrop.open(maildrop.messages[3]!);
    assertEquals(message.size, "A: 3\r\n\r\na longer body\r\n".length);
  });
});
