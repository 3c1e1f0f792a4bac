// Backups and restores of the state file: everything comes back equal, what is there is kept, and nothing is half done.

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { basename, join } from "node:path";
import { BackupError, makeBackup, StateAtRest } from "../../lib/state/backup.ts";
import { restoreBackup } from "../../lib/state/restore.ts";
import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import { StateFile } from "../../lib/state/state_file.ts";
import { StateStoreError } from "../../lib/contracts/state_store.ts";
import { account } from "../contracts/state_store_contract.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { makeVersion1, MINUTE_OF_VERSION_1 } from "./version_1.ts";

const MINUTE = MINUTE_OF_VERSION_1;
const now = (): number => MINUTE * 60_000;

const hash = { scheme: "BLF-CRYPT", data: "$2y$" } as const;
const salting = { salt: new Uint8Array(16).fill(3), iterations: 4096 };
const keys = { storedKey: new Uint8Array(32).fill(4), serverKey: new Uint8Array(32).fill(5) };

/** Something of everything that a state keeps. */
async function fill(state: SqliteState): Promise<void> {
  await state.users.putAll(Array.from({ length: 200 }, (_, n) => account(`user${n}`, n)));
  await state.users.put(
    { ...account("foreign"), password: { kind: "foreign", hash } },
    { revision: undefined },
  );
  const { revision } = (await state.users.find("user1"))!;
  await state.users.addAppPassword("user1", revision, { label: "phone", at: 1, ...keys });
  const flag = { name: "root", ...salting, storedKey: keys.storedKey };
  await state.administrators.applyFlags([flag], [account("root")]);
  await state.learned.put({ name: "carol", fingerprint: "ff", ...salting, ...keys });
  await state.settings.set("timeout", "700");
  const start = { at: now(), user: "user1", address: "::1", tls: undefined, mechanism: "PLAIN" };
  state.accesses.opened({ ...start, session: "s1" });
  const end = { ended: now(), messages: 1, octets: 2, deleted: 3, ending: "quit" };
  state.accesses.completed("s1", end);
  await state.flush();
  await state.counters.add(new Map([["pop3.logins", 3]]));
  await state.counters.append(MINUTE, new Map([["pop3.logins", 2]]));
}

/** All that a state says. */
async function contents(path: string): Promise<unknown> {
  await using state = await SqliteState.open({ path, now });
  const names = await Array.fromAsync(state.users.list());
  return {
    users: await Promise.all(names.map((name) => state.users.find(name))),
    count: await state.users.count(),
    root: await state.administrators.find("root"),
    flags: await state.administrators.flags(),
    keys: await state.users.listAppPasswords("user1"),
    learned: await Array.fromAsync(state.learned.list()),
    settings: await state.settings.all(),
    accesses: await state.accesses.list("user1", 9),
    totals: await state.counters.totals(),
    history: await Array.fromAsync(state.counters.history("pop3.logins", 0)),
    secret: await state.installation.secret(),
  };
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

Deno.test("backup of a state at work, restored, is equal to it in everything", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postern.db");
  const backups = join(folder.path, "backups");
  await Deno.mkdir(backups);
  {
    await using state = await SqliteState.open({ path, now });
    await fill(state);
    const backup = await makeBackup({ source: state, folder: backups, name: "one.db" });
    assertEquals([backup.users, backup.administrators], [201, 1]);
    assertEquals(backup.path, join(backups, "one.db"));
    assertEquals(((await Deno.stat(backup.path)).mode ?? 0) & 0o777, 0o600);
    assertEquals(await names(backups), ["one.db"]);
    // It goes on, and what it does from here on is not in the backup.
    await state.users.put(account("late"), { revision: undefined });
  }
  const before = await contents(path) as { count: number; users: unknown[] };
  assertEquals(before.count, 202);
  const { users, kept } = restoreBackup(join(backups, "one.db"), path);
  assertEquals(users, 201);
  const after = await contents(path);
  const withoutLate = before.users.filter((user) => (user as { name: string }).name !== "late");
  assertEquals(after, { ...before, users: withoutLate, count: 201 });
  assertEquals(await contents(kept!), before, "what was there is kept");
  assertEquals(await names(folder.path), ["backups", "postern.db", basename(kept!)].sort());
});

Deno.test("backup holds what was there when it began, while changes go on", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postern.db");
  await using state = await SqliteState.open({ path, now });
  await fill(state);
  const backup = makeBackup({ source: state, folder: folder.path, name: "one.db" });
  for (let n = 0; n < 20; n++) await state.users.put(account(`late${n}`), { revision: undefined });
  await assertRejects(
    () => makeBackup({ source: state, folder: folder.path, name: "two.db" }),
    StateStoreError,
    "A backup is being made already",
  );
  assertEquals((await backup).users, 201);
  assertEquals(await state.users.count(), 221);
});

Deno.test("backup takes the place of no file, and leaves nothing behind when it fails", async () => {
  await using folder = await temporaryFolder();
  const source = await SqliteState.open({ path: join(folder.path, "postern.db") });
  const there = join(folder.path, "there.db");
  await Deno.symlink(join(folder.path, "nowhere"), there);
  await assertRejects(
    () => makeBackup({ source, folder: folder.path, name: "there.db" }),
    BackupError,
    `${there} exists already`,
  );
  await assertRejects(
    () => makeBackup({ source, folder: join(folder.path, "none"), name: "x.db" }),
    BackupError,
    "could not be made: no such file or folder",
  );
  const finish = () => Promise.reject(new BackupError("The backup is damaged"));
  await assertRejects(
    () => makeBackup({ source, folder: folder.path, name: "x.db", finish }),
    BackupError,
    "is damaged",
  );
  const memory = await SqliteState.open({ path: ":memory:" });
  await assertRejects(
    () => makeBackup({ source: memory, folder: folder.path, name: "x.db" }),
    StateStoreError,
    "The state is in memory",
  );
  await source[Symbol.asyncDispose]();
  assertEquals(await names(folder.path), ["postern.db", "there.db"]);
});

Deno.test("backup of a state that no server has changes nothing, also of one that was killed or is old", async () => {
  await using folder = await temporaryFolder();
  const living = join(folder.path, "living.db");
  const killed = join(folder.path, "killed.db");
  {
    await using state = await SqliteState.open({ path: living, now });
    await fill(state);
    for (const suffix of ["", "-wal"]) await Deno.copyFile(living + suffix, killed + suffix);
  }
  const old = join(folder.path, "old.db");
  makeVersion1(old, 7);
  for (const [path, users] of [[living, 201], [killed, 201], [old, 8]] as const) {
    const before = await Promise.all(
      [path, `${path}-wal`].map((it) => Deno.readFile(it).catch(() => undefined)),
    );
    const name = `${basename(path)}.backup`;
    const source = new StateAtRest(new StateFile(path));
    const backup = await makeBackup({ source, folder: folder.path, name });
    assertEquals([backup.users, backup.administrators], [users, 1]);
    const after = await Promise.all(
      [path, `${path}-wal`].map((it) => Deno.readFile(it).catch(() => undefined)),
    );
    assertEquals(after, before, path);
    const restored = join(folder.path, `restored-${basename(path)}`);
    assertEquals(restoreBackup(backup.path, restored).kept, undefined);
    const all = await contents(restored) as { count: number };
    assertEquals(all.count, users);
  }
});

Deno.test("restore refuses what is no backup, a damaged one, and a state that a server has", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postern.db");
  const backup = join(folder.path, "backup.db");
  {
    await using state = await SqliteState.open({ path, now });
    await fill(state);
    await makeBackup({ source: state, folder: folder.path, name: "backup.db" });
    const held = assertThrows(() => restoreBackup(backup, path), StateStoreError);
    assertEquals(held.trouble, "held");
  }
  const before = await contents(path);
  const refused = (from: string, sentence: RegExp): void => {
    const { message } = assertThrows(() => restoreBackup(from, path), BackupError);
    assertMatch(message, sentence);
    assert(message.includes(from), message);
  };
  refused(join(folder.path, "none.db"), /There is no backup/);
  refused(folder.path, /must be a file/);
  const bad = join(folder.path, "bad.db");
  await Deno.writeTextFile(bad, "");
  refused(bad, /is empty/);
  await Deno.writeTextFile(bad, "a letter\n".repeat(200));
  refused(bad, /is no backup of a state/);
  const octets = await Deno.readFile(backup);
  for (const length of [200, 4096, octets.length / 2, octets.length - 4096]) {
    await Deno.writeFile(bad, octets.subarray(0, length));
    refused(bad, /is damaged|is no backup/);
  }
  // Pages are filled from their ends.
  let accepted = 0;
  for (let at = 8150; at < octets.length; at += 4096) {
    const changed = await Deno.readFile(backup);
    changed[at] = changed[at]! ^ 1;
    await Deno.writeFile(bad, changed);
    try {
      restoreBackup(bad, path);
      accepted++;
      assertEquals(
        (await contents(path) as { users: unknown }).users,
        (before as { users: unknown }).users,
      );
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
    }
  }
  assert(accepted < octets.length / 4096 * 0.8, `${accepted} damaged backups were taken`);
});

Deno.test("restore puts a backup where the state was truncated, damaged, deleted, or lost its log", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postern.db");
  const good = join(folder.path, "good.db");
  const log = join(folder.path, "log");
  {
    await using state = await SqliteState.open({ path, now });
    await fill(state);
    await makeBackup({ source: state, folder: folder.path, name: "backup.db" });
    await Deno.copyFile(path, good);
    await Deno.copyFile(`${path}-wal`, log);
  }
  const before = await contents(path);
  const harms: Readonly<Record<string, () => Promise<void>>> = {
    truncated: () => Deno.truncate(path, 0),
    halved: () => Deno.truncate(path, 8192),
    "without its log": () => Deno.remove(`${path}-wal`),
    deleted: () => Deno.remove(path),
    "no database any more": () => Deno.writeTextFile(path, "x".repeat(5000)),
  };
  for (const [what, harm] of Object.entries(harms)) {
    await Deno.copyFile(good, path);
    await Deno.copyFile(log, `${path}-wal`);
    await harm();
    await assertRejects(() => SqliteState.open({ path }), StateStoreError, undefined, what);
    restoreBackup(join(folder.path, "backup.db"), path);
    assertEquals(await contents(path), before, what);
  }
  // As it is: what the log had is counters and the access log only.
  await Deno.copyFile(good, path);
  restoreBackup(path, path);
  const { users } = await contents(path) as { users: unknown[] };
  assertEquals(users.length, 201);
});

Deno.test("restored state gives no session number twice, and its running time does not go back", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postern.db");
  const kept = { id: "0123456789abcdef", running: 5000, wall: now() };
  let last = 0;
  {
    await using state = await SqliteState.open({ path, now });
    await state.installation.keepRunningTime(kept);
    await makeBackup({ source: state, folder: folder.path, name: "backup.db" });
    last = await state.installation.reserveSessions(10) + 9;
    await state.installation.keepRunningTime({ ...kept, running: 9000 });
  }
  const backup = join(folder.path, "backup.db");
  restoreBackup(backup, path);
  {
    await using state = await SqliteState.open({ path, now });
    assertEquals(await state.installation.reserveSessions(1), last + 1);
    assertEquals((await state.installation.runningTime())?.running, 9000);
    // Of another count, nothing can be told.
    await state.installation.keepRunningTime({ ...kept, id: "ffffffffffffffff", running: 99_000 });
  }
  restoreBackup(backup, path);
  await using state = await SqliteState.open({ path, now });
  assertEquals(await state.installation.runningTime(), kept);
});
