/** A mailbox that was moved away, or lies on a file system that is not mounted, was shown as an empty one: clients that mirror it forget their mail. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import {
  ERRNO,
  faultTest,
  startFaultyProgram,
} from "../support/fault_injection/fault_injection.ts";
import { LmtpClient } from "../support/lmtp_client.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

const NOTES = ".postern-mailboxes";

/** What the server says to the right password. */
async function answerTo(program: RunningProgram, user: string): Promise<string> {
  using client = await program.connect();
  await client.line();
  await client.ok(`USER ${user}`);
  const answer = await client.command("PASS secret");
  await client.send("QUIT\r\n");
  await client.line();
  await client.ended();
  return answer;
}

async function refused(program: RunningProgram, user: string, code: string): Promise<void> {
  const answer = await answerTo(program, user);
  assert(answer.startsWith(`-ERR [SYS/${code}] `), answer);
}

function names(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

Deno.test("a mailbox that was moved away is refused until it is back, or its note is removed", async () => {
  await using folder = await temporaryFolder();
  const maildir = join(folder.path, "mail");
  const ada = join(maildir, "ada");
  await makeMailbox(ada, "maildir", [messageOfSize(100)]);
  await makeMailbox(join(maildir, "example.org", "bob"), "maildir", [messageOfSize(100)]);
  await using program = await startProgram({
    maildir,
    users: { ada: "secret", "bob@example.org": "secret", eve: "secret" },
    flags: ["--lmtp", "127.0.0.1:0"],
  });
  // Whoever never had one gets one.
  assertEquals(await answerTo(program, "eve"), "+OK 0 messages (0 octets)");
  for (const [user, path] of [["ada", ada], ["bob@example.org", join(maildir, "example.org")]]) {
    assertEquals(await answerTo(program, user!), "+OK 1 messages (100 octets)");
    const away = join(folder.path, "away");
    await Deno.rename(path!, away);
    const before = names(maildir);
    for (let login = 0; login < 2; login++) await refused(program, user!, "TEMP");
    // Mail waits for the mailbox, too.
    using lmtp = await LmtpClient.connect({ port: program.port("lmtp") });
    await lmtp.command("LHLO test");
    assertMatch((await lmtp.command("MAIL FROM:<>"))!, /^250 /);
    assertMatch((await lmtp.command(`RCPT TO:<${user}>`))!, /^4\d\d /);
    assertEquals(names(maildir), before);
    await Deno.rename(away, path!);
    assertEquals(await answerTo(program, user!), "+OK 1 messages (100 octets)");
  }
  const note = join(maildir, NOTES, "ada");
  await eventually("the log telling what to remove", () => program.stderr.includes(note));
  await Deno.remove(ada, { recursive: true });
  await Deno.remove(note);
  assertEquals(await answerTo(program, "ada"), "+OK 0 messages (0 octets)");
  await Deno.remove(ada, { recursive: true });
  await refused(program, "ada", "TEMP");
});

Deno.test("a mail folder that is not mounted gets no mailboxes, nor does it after a restart", async () => {
  await using folder = await temporaryFolder();
  const maildir = join(folder.path, "mail");
  const unmounted = join(folder.path, "unmounted");
  const state = join(folder.path, "postern.db");
  await makeMailbox(join(maildir, "ada"), "maildir", [messageOfSize(100)]);
  const options = { maildir, state, users: { ada: "secret", eve: "secret" } };
  const unmount = async (): Promise<void> => {
    await Deno.rename(maildir, unmounted);
    await Deno.mkdir(maildir);
  };
  {
    await using program = await startProgram(options);
    assertEquals(await answerTo(program, "ada"), "+OK 1 messages (100 octets)");
    await unmount();
    for (const user of ["ada", "eve"]) await refused(program, user, "TEMP");
    assertEquals(names(maildir), []);
  }
  await using program = await startProgram(options);
  assertStringIncludes(program.stderr, "it may not be mounted");
  for (const user of ["ada", "eve"]) await refused(program, user, "TEMP");
  assertEquals(names(maildir), [".postern.lock"]);
  // Mounted while the server runs.
  await Deno.remove(maildir, { recursive: true });
  await Deno.rename(unmounted, maildir);
  assertEquals(await answerTo(program, "ada"), "+OK 1 messages (100 octets)");
  assertEquals(await answerTo(program, "eve"), "+OK 0 messages (0 octets)");
  // Or it is meant to be another one.
  await unmount();
  await refused(program, "ada", "TEMP");
  await Deno.mkdir(join(maildir, NOTES), { mode: 0o700 });
  assertEquals(await answerTo(program, "ada"), "+OK 0 messages (0 octets)");
});

for (
  const [error, code] of [
    ["EACCES", "PERM"],
    ["EROFS", "PERM"],
    ["ENOSPC", "TEMP"],
    ["EDQUOT", "TEMP"],
    ["EIO", "TEMP"],
  ] as const
) {
  faultTest(`a mailbox that cannot be made (${error}) is no empty one`, async () => {
    await using folder = await temporaryFolder();
    await using faulty = await startFaultyProgram({
      maildir: folder.path,
      users: { ada: "secret" },
    });
    const { faults, program } = faulty;
    await faults.set({ faults: [{ calls: ["mkdir"], path: "/ada", errno: ERRNO[error] }] });
    await refused(program, "ada", code);
    assertEquals(names(join(folder.path, NOTES)), []);
    await faults.set({ faults: [] });
    assertEquals(await answerTo(program, "ada"), "+OK 0 messages (0 octets)");
  });
}

faultTest(
  "notes that cannot be written keep nobody out, and those that cannot be read make no mailbox",
  async () => {
    await using folder = await temporaryFolder();
    await makeMailbox(join(folder.path, "ada"), "maildir", [messageOfSize(100)]);
    await using faulty = await startFaultyProgram({
      maildir: folder.path,
      users: { ada: "secret", eve: "secret" },
      flags: ["--workers", "1"],
    });
    const { faults, program } = faulty;
    await faults.set({ faults: [{ calls: ["open"], path: `/${NOTES}/ada`, errno: ERRNO.ENOSPC }] });
    for (let login = 0; login < 2; login++) {
      assertEquals(await answerTo(program, "ada"), "+OK 1 messages (100 octets)");
    }
    const warned = (): number => program.stderr.split("cannot be noted").length - 1;
    await eventually("the warning", () => warned() > 0);
    assertEquals(warned(), 1);
    await faults.set({ faults: [{ calls: ["stat"], path: `/${NOTES}/eve`, errno: ERRNO.EIO }] });
    await refused(program, "eve", "TEMP");
    assertEquals(names(folder.path).includes("eve"), false);
  },
);
