/**
 * QUIT while the disk is full, a quota is used up, a file server is away or a file system damaged: UPDATE tries each message, syncs what it
 * removed, says what stayed, frees the lock and closes the connection, whatever error comes at whatever step.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import {
  ERRNO,
  type Fault,
  faultTest,
  type FaultyCall,
  type FaultyProgram,
  startFaultyProgram,
} from "../support/fault_injection/fault_injection.ts";
import { makeMailbox, messageFiles, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";

const ERRORS = [
  "EDQUOT",
  "ESTALE",
  "EUCLEAN",
  "EIO",
  "ENOSPC",
  "EROFS",
  "EMFILE",
  "ENAMETOOLONG",
  "ETIMEDOUT",
  "ENOTCONN",
  "EACCES",
] as const satisfies (keyof typeof ERRNO)[];

/** A call that fails during UPDATE, in a mailbox of three messages of which the first is read and the others are marked. */
interface Step {
  readonly step: string;
  readonly calls: readonly FaultyCall[];
  /** Part of the path, behind the mailbox's. */
  readonly part: string;
  readonly times?: number;
  /** What QUIT answers. */
  readonly answer: string;
  /** Messages that the next login finds. */
  readonly left: number;
}

const STAYED = "-ERR [SYS/TEMP] some deleted messages not removed";
const DONE = "+OK 1 messages left";

const STEPS: readonly Step[] = [
  {
    step: "looking at one message",
    calls: ["stat"],
    part: "/new/1700000002",
    answer: `${STAYED} (1 of 2)`,
    left: 2,
  },
  {
    step: "unlinking one message",
    calls: ["unlink"],
    part: "/new/1700000002",
    answer: `${STAYED} (1 of 2)`,
    left: 2,
  },
  {
    step: "unlinking every message",
    calls: ["unlink"],
    part: "/new/",
    answer: `${STAYED} (2 of 2)`,
    left: 3,
  },
  {
    step: "opening the folder to sync it",
    calls: ["open"],
    part: "/new",
    answer: `${STAYED} (2 of 2 could come back after a power failure)`,
    left: 1,
  },
  {
    step: "syncing the folder",
    calls: ["fsync"],
    part: "/new",
    answer: `${STAYED} (2 of 2 could come back after a power failure)`,
    left: 1,
  },
  { step: "marking seen", calls: ["rename"], part: "/new/1700000001", answer: DONE, left: 1 },
  { step: "making the cache", calls: ["open"], part: "/.postern-cache.new", answer: DONE, left: 1 },
  { step: "writing the cache", calls: ["write"], part: "/.postern-cache", answer: DONE, left: 1 },
  {
    step: "putting the cache in place",
    calls: ["rename"],
    part: "/.postern-cache.new",
    answer: DONE,
    left: 1,
  },
  {
    step: "everything but reading",
    calls: ["open", "unlink", "rename", "write", "fsync", "link", "mkdir"],
    part: "/",
    answer: `${STAYED} (2 of 2)`,
    left: 3,
  },
];

/** A session that reads the first message, marks the others, and says QUIT while these faults are in force. */
async function quitUnder(
  { program, faults }: FaultyProgram,
  user: string,
  injected: readonly Fault[],
): Promise<string> {
  using client = await program.connect();
  await client.login(user, "secret");
  await client.retrieve(1);
  await client.ok("DELE 2");
  await client.ok("DELE 3");
  await faults.set({ faults: injected });
  const answer = await client.command("QUIT");
  await client.ended();
  await faults.clear();
  return answer;
}

for (const { step, calls, part, answer, left } of STEPS) {
  faultTest(`UPDATE ends well whatever error comes when ${step}`, async () => {
    await using folder = await temporaryFolder();
    const maildir = folder.path;
    const users = Object.fromEntries(ERRORS.map((name) => [name, "secret"]));
    for (const user of ERRORS) {
      await makeMailbox(
        join(maildir, user),
        "maildir",
        [1, 2, 3].map((n) => messageOfSize(300 + n)),
      );
    }
    await using stage = await startFaultyProgram({
      maildir,
      users,
      flags: ["--auth-delay", "0", "--workers", "1"],
    });
    for (const name of ERRORS) {
      const fault = { calls, path: join(maildir, name) + part, errno: ERRNO[name] };
      assertEquals(await quitUnder(stage, name, [fault]), answer, name);
      const hits = await stage.faults.hits();
      assert(hits.some(({ path }) => path.startsWith(fault.path)), `${name} did not happen`);

      // The lock is free at once, and what is told to be gone is gone.
      using client = await stage.program.connect();
      assertMatch(await client.login(name, "secret"), RegExp(`^\\+OK ${left} messages`), name);
      assertEquals(await client.command("QUIT"), `+OK ${left} messages left`);
      await client.ended();
      assertEquals((await messageFiles(join(maildir, name))).length, left, name);
    }
    const log = stage.program.stderr;
    assert(!/os error|UNKNOWN|went wrong|\.ts:\d/.test(log), log);
    if (answer !== DONE) assert(log.includes("disk quota exceeded (EDQUOT)"), log);
  });
}

faultTest("UPDATE syncs what it removed when another message cannot be removed", async () => {
  await using folder = await temporaryFolder();
  const mailbox = join(folder.path, "alice");
  await makeMailbox(mailbox, "maildir", [1, 2, 3].map((n) => messageOfSize(300 + n)));
  await using stage = await startFaultyProgram({
    maildir: folder.path,
    users: { alice: "secret" },
    flags: ["--auth-delay", "0"],
  });
  const answer = await quitUnder(stage, "alice", [
    { calls: ["unlink"], path: `${mailbox}/new/1700000003`, errno: ERRNO.EDQUOT },
    // No fault, but it is noted.
    { calls: ["fsync"], path: `${mailbox}/new`, delay: 0 },
  ]);
  assertEquals(answer, `${STAYED} (1 of 2)`);
  const steps = (await stage.faults.hits()).map(({ call }) => call);
  assertEquals(steps, ["unlink", "fsync"]);
});

faultTest("UPDATE that cannot list the mailbox says that what it did not find stayed", async () => {
  await using folder = await temporaryFolder();
  const mailbox = join(folder.path, "alice");
  await makeMailbox(mailbox, "maildir", [1, 2, 3].map((n) => messageOfSize(300 + n)));
  await using stage = await startFaultyProgram({
    maildir: folder.path,
    users: { alice: "secret" },
    flags: ["--auth-delay", "0"],
  });
  for (const call of ["opendir"] as const) {
    const { program, faults } = stage;
    await makeMailbox(mailbox, "maildir", [1, 2, 3].map((n) => messageOfSize(300 + n)));
    using client = await program.connect();
    await client.login("alice", "secret");
    await client.ok("DELE 2");
    await client.ok("DELE 3");
    const name = (await messageFiles(mailbox)).find((path) => path.includes("1700000002"))!;
    // Another program's flag: the message is there, under a name that only a listing tells.
    await Deno.rename(join(mailbox, name), join(mailbox, "cur", "1700000002.M100002P1.host:2,F"));
    await faults.set({ faults: [{ calls: [call], path: mailbox, errno: ERRNO.ESTALE }] });
    assertEquals(await client.command("QUIT"), `${STAYED} (1 of 2)`, call);
    await client.ended();
    await faults.hit(call, "alice");
    await faults.clear();
    using next = await program.connect();
    assertMatch(await next.login("alice", "secret"), /^\+OK 2 messages/, call);
    await next.ok("QUIT");
    await next.ended();
  }
});
