/** A mailbox whose disk or file server failed at the login was shown empty, or without the messages that could not be read: clients forgot them. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import {
  ERRNO,
  type Fault,
  faultTest,
  type FaultyProgram,
  startFaultyProgram,
} from "../support/fault_injection/fault_injection.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import type { LogLine } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

const TEMPORARY = "-ERR [SYS/TEMP]";
const PERMANENT = "-ERR [SYS/PERM]";

/** What goes wrong in the mailbox of three messages, and how the login is answered. */
interface Case {
  readonly name: string;
  /** Of the fault, relative to the mailbox. */
  readonly path: string;
  readonly fault: Omit<Fault, "path">;
  readonly answer: string;
  /** A text of the log. */
  readonly log: string;
  /** Whether there is a cache of an earlier login. */
  readonly known?: boolean;
}

const SECOND = "new/1700000002.M100002P1.host";

const CASES: readonly Case[] = [
  {
    name: "no file can be read (EIO)",
    path: "new/1",
    fault: { calls: ["open"], errno: ERRNO.EIO },
    answer: TEMPORARY,
    log: "input/output error (EIO)",
  },
  {
    name: "a file opens and cannot be read (EIO)",
    path: SECOND,
    fault: { calls: ["read"], errno: ERRNO.EIO },
    answer: TEMPORARY,
    log: "input/output error (EIO)",
  },
  {
    name: "a file's handle is stale (ESTALE)",
    path: SECOND,
    fault: { calls: ["open"], errno: ERRNO.ESTALE },
    answer: TEMPORARY,
    log: "stale file handle",
  },
  {
    name: "a file that is known already cannot be looked at (EIO)",
    path: SECOND,
    fault: { calls: ["stat"], errno: ERRNO.EIO },
    answer: TEMPORARY,
    log: "input/output error (EIO)",
    known: true,
  },
  {
    name: "the server has too many files open (EMFILE)",
    path: SECOND,
    fault: { calls: ["open"], errno: ERRNO.EMFILE },
    answer: TEMPORARY,
    log: "too many open files (EMFILE)",
  },
  {
    name: "what is known of the mailbox cannot be read (EIO)",
    path: ".postern-cache",
    fault: { calls: ["read"], errno: ERRNO.EIO },
    answer: TEMPORARY,
    log: ".postern-cache cannot be read: input/output error (EIO)",
    known: true,
  },
  {
    name: "one file may not be read (EACCES)",
    path: SECOND,
    fault: { calls: ["open"], errno: ERRNO.EACCES },
    answer: "+OK 2 messages",
    log: "1 of a mailbox's files are left out",
  },
  {
    name: "no file may be read (EACCES)",
    path: "new/1",
    fault: { calls: ["open"], errno: ERRNO.EACCES },
    answer: TEMPORARY,
    log: "None of the 3 messages",
  },
  {
    name: "a folder cannot be listed (EIO)",
    path: "/new",
    fault: { calls: ["opendir", "readdir"], errno: ERRNO.EIO },
    answer: TEMPORARY,
    log: "input/output error (EIO)",
  },
  {
    name: "a folder may not be listed (EACCES)",
    path: "/cur",
    fault: { calls: ["opendir"], errno: ERRNO.EACCES },
    answer: PERMANENT,
    log: "permission denied (EACCES)",
  },
  {
    name: "the mailbox cannot be looked at (ESTALE)",
    path: "",
    fault: { calls: ["stat"], errno: ERRNO.ESTALE },
    answer: TEMPORARY,
    log: "stale file handle",
  },
];

async function login({ program }: FaultyProgram, user: string): Promise<string> {
  using client = await program.connect();
  await client.line();
  await client.ok(`USER ${user}`);
  const answer = await client.command("PASS secret");
  await client.command("QUIT");
  await client.ended();
  return answer;
}

faultTest(
  "a mailbox that cannot be read is never shown empty, or without some messages",
  async () => {
    await using folder = await temporaryFolder();
    const users: Record<string, string> = {};
    for (const index of CASES.keys()) {
      users[`user${index}`] = "secret";
      const messages = [1, 2, 3].map(() => messageOfSize(120));
      await makeMailbox(join(folder.path, `user${index}`), "maildir", messages);
    }
    await using stage = await startFaultyProgram({ maildir: folder.path, users });
    for (const [index, { name, path, fault, answer, log, known }] of CASES.entries()) {
      const user = `user${index}`;
      if (known) assertStringIncludes(await login(stage, user), "+OK 3 messages");
      const whole = path.startsWith("/") ? `${user}${path}` : join(user, path);
      await stage.faults.set({ faults: [{ ...fault, path: whole }] });
      const before = stage.program.stderr.length;
      const said = await login(stage, user);
      assert(said.startsWith(answer), `${name}: ${said}`);
      const told = (): string => stage.program.stderr.slice(before);
      await eventually(`the log of: ${name}`, () => told().includes(log), told);
      assert((await stage.faults.hits()).some((hit) => hit.path.includes(user)), name);
      await stage.faults.clear();
      assertStringIncludes(await login(stage, user), "+OK 3 messages", name);
    }
  },
);

faultTest("a mailbox that cannot be made now is no empty one", async () => {
  await using folder = await temporaryFolder();
  await using stage = await startFaultyProgram({
    maildir: folder.path,
    users: { ann: "secret" },
    faults: [{ calls: ["mkdir"], path: "ann", errno: ERRNO.EIO }],
  });
  assertStringIncludes(await login(stage, "ann"), TEMPORARY);
  await stage.faults.clear();
  assertStringIncludes(await login(stage, "ann"), "+OK 0 messages");
});

faultTest("a message whose file was emptied after the login is an error", async () => {
  await using folder = await temporaryFolder();
  await makeMailbox(join(folder.path, "ann"), "maildir", [messageOfSize(120), messageOfSize(130)]);
  await using stage = await startFaultyProgram({ maildir: folder.path, users: { ann: "secret" } });
  using client = await stage.program.connect();
  await client.login("ann", "secret");
  await Deno.truncate(join(folder.path, "ann", "new", "1700000001.M100001P1.host"));
  for (const command of ["RETR 1", "TOP 1 0"]) {
    assertStringIncludes(await client.command(command), "-ERR");
  }
  assertEquals((await client.retrieve(2)).length, 130);
  assertStringIncludes(await client.command("QUIT"), "+OK 2 messages left");
});

faultTest(
  "an answer that asks to try again later names the session, as the log's line of the reason does",
  async () => {
    await using folder = await temporaryFolder();
    await makeMailbox(join(folder.path, "ada"), "maildir", [messageOfSize(120)]);
    await using stage = await startFaultyProgram({
      maildir: folder.path,
      users: { ada: "secret" },
    });
    await stage.faults.set({
      faults: [{ calls: ["opendir", "readdir"], errno: ERRNO.EIO, path: "ada/new" }],
    });
    const answer = await login(stage, "ada");
    const session = /try again later \(session ([\w-]+)\)$/.exec(answer)?.[1];
    assert(session !== undefined, answer);
    const isReason = ({ message, properties }: LogLine): boolean =>
      properties.session === session && message.startsWith("Cannot open the maildrop");
    await eventually("the log's line", () => stage.program.log.some(isReason));
  },
);
