/**
 * A mailbox whose file system is slow, and hangs in the middle of a session: it stopped its thread with all other sessions, since file calls are
 * synchronous. It is served by a thread of its own that is given up.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import {
  type Fault,
  faultTest,
  type FaultyCall,
  type FaultyProgram,
  startFaultyProgram,
} from "../support/fault_injection/fault_injection.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { eventually } from "../support/waiting.ts";

/** Longer than any limit: setting other faults ends it. */
const FOR_EVER = 600_000;
/** What a session waits for when a call hangs, as the program says it. */
const HANGS = "does not answer: a file call in it, or in a mailbox of the same file system, hangs.";

/** What hangs, and what its session says then, with the answer that it must get. */
interface Hang {
  readonly user: string;
  readonly call: FaultyCall;
  /** Part of the path behind the user's folder. @default any */
  readonly file?: string;
  readonly before: readonly string[];
  readonly command: string;
  readonly answer: RegExp;
}

const LOGIN = ["USER", "PASS"];
const TEMPORARY = /^-ERR \[SYS\/TEMP\] /;
const HELD_UP: readonly Hang[] = [
  { user: "u1", call: "open", file: "/new/", before: LOGIN, command: "RETR 1", answer: TEMPORARY },
  { user: "u2", call: "read", file: "/new/", before: LOGIN, command: "RETR 1", answer: TEMPORARY },
  { user: "u3", call: "readdir", before: ["USER"], command: "PASS x", answer: TEMPORARY },
  {
    user: "u4",
    call: "unlink",
    file: "/new/",
    before: [...LOGIN, "DELE 1"],
    command: "QUIT",
    answer: TEMPORARY,
  },
  // Whoever has asked for nothing that was not done is told so.
  {
    user: "u5",
    call: "rename",
    file: "/new/",
    before: [...LOGIN, "RETR 1", "NOOP"],
    command: "QUIT",
    answer: /^\+OK /,
  },
  {
    user: "u6",
    call: "rename",
    file: "/.postern-cache",
    before: LOGIN,
    command: "RETR 1",
    answer: TEMPORARY,
  },
];

/** A mailbox whose session is kicked while it waits. */
const KICKED: Hang = {
  user: "u7",
  call: "open",
  file: "/new/",
  before: LOGIN,
  command: "RETR 1",
  answer: TEMPORARY,
};
const ALL = [...HELD_UP, KICKED];

async function withMailboxes(
  body: (faulty: FaultyProgram, folder: string) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  const users = ["bob", ...ALL.map(({ user }) => user)];
  for (const user of users) {
    await makeMailbox(join(folder.path, user), "maildir", [messageOfSize(300)]);
  }
  await using faulty = await startFaultyProgram({
    maildir: folder.path,
    users: Object.fromEntries(users.map((user) => [user, "x"])),
    flags: ["--workers", "1", "--admin", "admin:x", "--grace", "1"],
    // Noted, and else as ever.
    faults: [{ calls: ["opendir"], path: "/u", delay: 1 }],
  });
  await body(faulty, folder.path);
}

/** A first session of each, in which the session worker learns that its mailbox is slow. */
async function learnSlow({ faults, program }: FaultyProgram, folder: string): Promise<void> {
  // The main thread's sweep at the start would meet what is slow once.
  for (const { user } of ALL) await faults.hit("opendir", `/${user}/tmp`);
  await faults.set({
    faults: ALL.map(({ user }): Fault => ({
      calls: ["stat"],
      path: `/${user}/new`,
      // Longer than a busy machine makes the thread itself late.
      delay: 2000,
      times: 1,
    })),
  });
  await Promise.all(ALL.map(async ({ user }) => {
    using client = await program.connect();
    await client.login(user, "x");
    await client.ok("QUIT");
  }));
  for (const { user } of ALL) {
    await eventually("the cache", () => exists(join(folder, user, ".postern-cache")));
  }
  for (const user of ["u3", "u6"]) {
    // The next login lists the folder and writes the cache again.
    await Deno.writeFile(join(folder, user, "new", "1800000000.M1P1.host"), messageOfSize(300));
  }
}

function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}

/** Says what comes before a call that hangs, and then the command that meets it. Returns the answer to that. */
async function meet({ program }: FaultyProgram, hang: Hang): Promise<string> {
  using client = await program.connect();
  await client.line();
  for (const command of hang.before) await say(client, command, hang.user);
  return await client.command(hang.command);
}

async function say(client: Pop3Client, command: string, user: string): Promise<void> {
  await client.ok(command === "USER" ? `USER ${user}` : command === "PASS" ? "PASS x" : command);
  if (command.startsWith("RETR")) await client.multiline();
}

/** Kicks a user's session once a call of it hangs. */
async function kick({ program, faults }: FaultyProgram, { user, call }: Hang): Promise<void> {
  await faults.hit(call, `/${user}/`);
  using admin = await Pop3Client.connect({ port: program.port("msmp") });
  await admin.login("admin", "x");
  await admin.ok("MSMP 2");
  await admin.ok("SESSIONS");
  const session = (await admin.list()).find((row) => row.includes(` ${user} `))!.split(" ")[0];
  assertEquals(await admin.command(`KICK ${session}`), "+OK Session ended");
  await eventually("the session's end", async () => {
    await admin.ok("SESSIONS");
    return !(await admin.list()).some((row) => row.includes(` ${user} `));
  });
}

/** Lets all of them hang, and requires that others go on meanwhile, and each is told. */
async function hangAll(faulty: FaultyProgram): Promise<void> {
  await faulty.faults.set({
    faults: ALL.map(({ user, call, file }): Fault => ({
      calls: [call],
      path: `/${user}${file ?? ""}`,
      delay: FOR_EVER,
    })),
  });
  using bob = await faulty.program.connect();
  await bob.login("bob", "x");
  let isOver = false;
  const sessions = Promise.all(HELD_UP.map(async (hang) => {
    const answer = await meet(faulty, hang);
    assert(hang.answer.test(answer), `${hang.user}, ${hang.call}: ${answer}`);
  }));
  const over = (): void => void (isOver = true);
  sessions.then(over, over);
  const kicked = Promise.allSettled([meet(faulty, KICKED), kick(faulty, KICKED)]);
  let answers = 0;
  while (!isOver) {
    await bob.ok("NOOP");
    answers++;
  }
  await sessions;
  const [met, kicking] = await kicked;
  assertEquals(kicking.status, "fulfilled", Deno.inspect(kicking));
  assertEquals(met.status, "rejected", "the session ended without an answer");
  // Where the thread stands still while one hangs there are none.
  assert(answers > 1000, `${answers} answers`);
  const told = faulty.program.log.filter((line) => JSON.stringify(line).includes(HANGS));
  assert(told.length >= HELD_UP.length, faulty.program.stderr);
}

async function logIn({ program }: FaultyProgram, user: string): Promise<string> {
  using client = await program.connect();
  await client.line();
  await client.ok(`USER ${user}`);
  return await client.command("PASS x");
}

faultTest(
  "slow mailboxes whose calls hang hold nobody up, and are served again when the calls come back",
  async () => {
    await withMailboxes(async (faulty, folder) => {
      await learnSlow(faulty, folder);
      await hangAll(faulty);
      // Nothing else is asked of them meanwhile.
      const hits = (await faulty.faults.hits()).length;
      for (const { user } of HELD_UP) assertMatch(await logIn(faulty, user), TEMPORARY);
      assertEquals((await faulty.faults.hits()).length, hits);
      await faulty.faults.clear();
      for (const { user } of ALL) {
        await eventually("a login", async () => (await logIn(faulty, user)).startsWith("+OK"));
      }
      const [hang] = HELD_UP;
      await faulty.faults.set({
        faults: [{ calls: [hang!.call], path: `/${hang!.user}${hang!.file}`, delay: FOR_EVER }],
      });
      const left = meet(faulty, hang!);
      left.catch(() => {}); // It has no answer when the program ends.
      await faulty.faults.hit(hang!.call, `/${hang!.user}/`);
      assertEquals((await faulty.program.stop()).code, 0, "the program ends while a call hangs");
    });
  },
);
