// The supervisor over real threads: workers that die, cannot start, hang, or are renewed.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "node:path";
import type { LogOutput } from "../../lib/log/log_output.ts";
import { startLogging } from "../../lib/log/logging.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { eventually } from "../support/waiting.ts";
import { supervised } from "./supervised.ts";

const USERS = { ann: "secret", bob: "secret" };

for (const reason of ["kicked", "error", "refused"] as const) {
  Deno.test(`a worker that dies (${reason}) is replaced, and leaves no lock, place, turn, program or session`, async () => {
    await using folder = await temporaryFolder();
    await makeMailbox(join(folder.path, "ann"), "maildir", [messageOfSize(500)]);
    await using all = await supervised({
      maildir: folder.path,
      users: USERS,
      script: "./mortal_worker.ts",
      flags: ["--workers", "1", "--transformer", "sleep 600", "--max-transformers", "1"],
    });
    const { events, groups, locks, supervisor, turns } = all;
    await supervisor.start();
    using client = await all.connect();
    await client.login("ann", "secret");
    await client.send("RETR 1\r\n");
    await eventually("the program running", () => groups.running.size === 1);
    await eventually("the login being told", () => events.some(({ type }) => type === "login"));
    assertEquals([await locks.holders("ann"), supervisor.slots.served, turns.running], [1, 1, 1]);
    const [pid] = groups.running;
    const { session } = events.find(({ type }) => type === "login")!;

    assert(supervisor.close(session, reason));
    await client.ended();
    await eventually("the lock being free", async () => await locks.holders("ann") === 0);
    await eventually("the program's end", () => groups.running.size === 0);
    await eventually("the turn being free", () => turns.running === 0);
    await eventually("the place being free", () => supervisor.slots.served === 0);
    const ends = events.filter(({ type }) => type === "disconnected");
    assertEquals(ends.map((event) => ({ ...event, at: 0 })), [
      { type: "disconnected", session, at: 0, reason: "error" },
    ]);
    assert(pid !== undefined && !isRunning(pid));

    // It comes again by itself, and serves the same user.
    await eventually("the replacement", () => supervisor.trouble === undefined);
    using next = await all.connect();
    assertEquals(await next.login("ann", "secret"), "+OK 1 messages (500 octets)");
    assertEquals(await next.command("QUIT"), "+OK 1 messages left");
    await next.ended();
    await eventually("all places being free", () => supervisor.slots.served === 0);
  });
}

Deno.test("a turn that comes when its client has left is given back", async () => {
  await using folder = await temporaryFolder();
  await makeMailbox(join(folder.path, "ann"), "maildir", [messageOfSize(500)]);
  await using all = await supervised({
    maildir: folder.path,
    users: USERS,
    script: "./late_worker.ts",
    flags: ["--workers", "1", "--transformer", "cat", "--max-transformers", "1"],
  });
  const { events, groups, supervisor, turns } = all;
  await supervisor.start();
  {
    using client = await all.connect();
    await client.login("ann", "secret");
    await client.send("RETR 1\r\n");
    await eventually("the turn being taken", () => turns.running === 1);
  }
  await eventually("the turn being given back", () => turns.running === 0);
  assertEquals(events.some(({ type }) => type === "transformer-started"), false);

  using client = await all.connect();
  await client.login("ann", "secret");
  await client.ok("RETR 1");
  assertEquals((await client.multiline()).length, 500);
  await eventually("the program's end", () => groups.running.size + turns.running === 0);
});

Deno.test("one worker's lie is one line in the log, and leaves the other's sessions alone", async () => {
  await using folder = await temporaryFolder();
  const lines: string[] = [];
  await using _log = startLogging({ level: "debug", format: "json", output: outputTo(lines) });
  await using all = await supervised({
    maildir: folder.path,
    users: USERS,
    script: "./mortal_worker.ts",
    flags: ["--workers", "2"],
  });
  const { events, supervisor } = all;
  await supervisor.start();
  // The system spreads connections as it likes.
  const clients = [];
  try {
    const prefixes = new Set<string>();
    while (prefixes.size < 2) {
      const client = await all.connect();
      clients.push(client);
      await client.line();
      await eventually("the session being known", () => connected().length === clients.length);
      prefixes.add(connected().at(-1)!.split("-")[0]!);
    }
    const victim = connected().at(-1)!;
    const [prefix] = victim.split("-");
    supervisor.close(victim, "refused");
    const sessions = connected();
    for (const [index, client] of clients.entries()) {
      if (sessions[index]!.startsWith(`${prefix}-`)) await client.ended();
      else await client.ok("NOOP");
    }
    const errors = lines.filter((line) => line.includes('"level":"error"'));
    assertEquals(errors.length, 1);
    assertMatch(errors[0]!, /A session worker died: It said what no session worker says: /);
    await eventually("the replacement", () => lines.some((line) => line.includes("was replaced")));
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }

  function connected(): string[] {
    return events.filter(({ type }) => type === "connected").map(({ session }) => session);
  }
});

Deno.test("a start of which one worker fails leaves none behind", async () => {
  await using folder = await temporaryFolder();
  await using all = await supervised({
    maildir: folder.path,
    script: "./stillborn_worker.ts",
    flags: ["--workers", "3"],
  });
  await assertRejects(() => all.supervisor.start(), Error, "no memory");
  assertEquals(all.supervisor.trouble, "No session worker runs");
});

Deno.test("a renewal that fails leaves the old workers serving, and gives the new folder back", async () => {
  await using folder = await temporaryFolder();
  await using other = await temporaryFolder();
  await using all = await supervised({
    maildir: folder.path,
    script: "./stillborn_worker.ts",
    flags: ["--workers", "1"],
  });
  await all.supervisor.start();
  const generation = await all.generation(other.path);
  await assertRejects(() => all.supervisor.renew(generation), Error, "no memory");
  assertEquals(all.supervisor.trouble, undefined);
  // Another process could take it now.
  using file = await Deno.open(join(other.path, ".postern.lock"), { write: true });
  assert(await file.tryLock(true));
});

Deno.test("a worker that obeys no more keeps nobody from figures, nor the server from ending", async () => {
  await using folder = await temporaryFolder();
  const all = await supervised({
    maildir: folder.path,
    script: "./stuck_worker.ts",
    flags: ["--workers", "1"],
  });
  await all.supervisor.start();
  await all.supervisor.caughtUp();
  await all[Symbol.asyncDispose]();
  assertEquals(all.supervisor.trouble, "The server is shutting down");
});

Deno.test("a renewal keeps sessions and their folder, and gives the folder back when they have ended", async () => {
  await using folder = await temporaryFolder();
  await using other = await temporaryFolder();
  await makeMailbox(join(folder.path, "ann"), "maildir", [messageOfSize(500)]);
  await makeMailbox(join(other.path, "ann"), "maildir", []);
  await using all = await supervised({
    maildir: folder.path,
    users: USERS,
    flags: ["--workers", "2"],
  });
  const { supervisor } = all;
  await supervisor.start();
  using old = await all.connect();
  await old.login("ann", "secret");
  await supervisor.renew(await all.generation(other.path));
  // The same user under the other folder is locked out meanwhile.
  using denied = await all.connect();
  await denied.line();
  await denied.ok("USER ann");
  assert((await denied.command("PASS secret")).startsWith("-ERR [IN-USE] "));
  assertEquals(await old.retrieve(1), messageOfSize(500));
  using file = await Deno.open(join(folder.path, ".postern.lock"), { write: true });
  assertEquals(await file.tryLock(true), false);
  assertEquals(await old.command("QUIT"), "+OK 1 messages left");
  await old.ended();
  await eventually("the folder being given back", () => file.tryLock(true));
  using fresh = await all.connect();
  assertEquals(await fresh.login("ann", "secret"), "+OK 0 messages (0 octets)");
});

function outputTo(lines: string[]): LogOutput {
  return {
    write: (line) => void lines.push(line),
    flush: () => Promise.resolve(),
    flushSync: () => undefined,
    reopen: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}

/** Whether a process is there and is no zombie. */
function isRunning(pid: number): boolean {
  const { stdout } = new Deno.Command("cat", { args: [`/proc/${pid}/status`], stderr: "null" })
    .outputSync();
  const state = /^State:\s+(\w)/m.exec(new TextDecoder().decode(stdout))?.[1];
  return state !== undefined && state !== "Z";
}
