/** A message that was sent and never acknowledged was marked seen, and its time to expire began: the client may never have read it. */

import { Yielder } from "../../lib/async/yielder.ts";
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { readCache } from "../../lib/mail/folder/cache_file.ts";
import { findMailbox } from "../../lib/mail/folder/mailbox.ts";
import { type Stage, startStage, USERS } from "../attacks/stage.ts";
import { messageFiles } from "../support/mailboxes.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { TestRunningTime } from "../support/test_clock.ts";

/** What a client does after the login to three messages, of which none is left unsent; it says no more than that. */
interface Session {
  readonly name: string;
  readonly say: (client: Pop3Client) => Promise<void>;
  /** Numbers of the messages that count as retrieved after this session and those before. */
  readonly counts: readonly number[];
}

const SESSIONS: readonly Session[] = [
  {
    name: "RETR, and the client leaves without reading it",
    say: (client) => client.send("RETR 1\r\n"),
    counts: [],
  },
  {
    name: "commands sent ahead of an answer that is never read",
    say: async (client) => {
      await client.send("RETR 1\r\nRETR 2\r\nNOOP\r\nSTAT\r\n");
      // The last answer is on its way, so all of them have been sent.
      for (;;) if ((await client.line()).startsWith("+OK 3 900")) return;
    },
    counts: [],
  },
  {
    name: "RETR, read whole, without another command",
    say: async (client) => void await client.retrieve(1),
    counts: [],
  },
  {
    name: "RETR, and half of the next command",
    say: async (client) => {
      await client.retrieve(1);
      await client.send("NOO");
    },
    counts: [],
  },
  {
    name: "RETR, and a next command, if only a wrong one",
    say: async (client) => {
      await client.retrieve(1);
      await client.command("WHAT");
      await client.retrieve(2);
    },
    counts: [1],
  },
  {
    name: "RETR twice in one segment, and a next command",
    say: async (client) => {
      await client.send("RETR 1\r\nRETR 2\r\n");
      for (let message = 0; message < 2; message++) {
        await client.line();
        await client.multiline();
      }
      await client.ok("NOOP");
    },
    counts: [1, 2],
  },
  {
    name: "RETR and QUIT in one segment",
    say: async (client) => {
      await client.send("RETR 3\r\nQUIT\r\n");
      await client.line();
      await client.multiline();
      assert((await client.line()).startsWith("+OK"));
    },
    counts: [1, 2, 3],
  },
];

/** Numbers of the messages that are marked seen, and of those whose time to expire has begun. */
async function retrieved(stage: Stage): Promise<{ seen: number[]; expiring: number[] }> {
  const path = join(stage.maildir, "alice");
  const files = await messageFiles(path);
  const mailbox = findMailbox(path, { root: stage.maildir, account: Deno.uid()! })!;
  const cached = await readCache(mailbox, new TestRunningTime(), 1000, new Yielder());
  if (cached === undefined || cached === "too-many") throw new Error("There is no cache.");
  const { firstRetrieved } = cached.contents.messageIndex;
  const numbers = (isOne: (index: number) => boolean): number[] =>
    [1, 2, 3].filter((number) => isOne(number - 1));
  return {
    seen: numbers((index) => files[index]!.startsWith("cur/")),
    expiring: numbers((index) => firstRetrieved[index]! > 0),
  };
}

Deno.test("what the client acknowledged counts as retrieved, and nothing else", async (test) => {
  await using stage = await startStage({ tls: false, flags: ["--expire", "30"] });
  for (const { name, say, counts } of SESSIONS) {
    await test.step(name, async () => {
      {
        using client = await stage.connect();
        await client.login("alice", USERS.alice);
        await say(client);
      }
      await stage.aliceIsFree();
      assertEquals(await retrieved(stage), { seen: counts, expiring: counts });
    });
  }
});
