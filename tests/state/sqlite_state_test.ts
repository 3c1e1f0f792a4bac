// The state file: it does what every state store must, and withstands kills, full disks and wrong files.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import { StateStoreError, type StateTrouble } from "../../lib/contracts/state_store.ts";
import { account, stateStoreContract } from "../contracts/state_store_contract.ts";

stateStoreContract("state file", async ({ now }) => {
  const folder = await Deno.makeTempDir();
  const state = await SqliteState.open({ path: `${folder}/postern.db`, now });
  const dispose = state[Symbol.asyncDispose].bind(state);
  state[Symbol.asyncDispose] = async () => {
    await dispose();
    await Deno.remove(folder, { recursive: true });
  };
  return state;
});

stateStoreContract("state in :memory:", ({ now }) => SqliteState.open({ path: ":memory:", now }));

Deno.test("state file is made for its owner only, with all that belongs to it", async () => {
  await using folder = await temporaryFolder();
  await using state = await SqliteState.open({ path: `${folder.path}/postern.db` });
  await state.settings.set("timeout", "1");
  for await (const file of Deno.readDir(folder.path)) {
    const { mode } = await Deno.stat(`${folder.path}/${file.name}`);
    assertEquals((mode ?? 0) & 0o777, 0o600, file.name);
  }
});

Deno.test("state file keeps everything from one start to the next", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/postern.db`;
  const first = await SqliteState.open({ path });
  await first.users.put(account("ann"), { revision: undefined });
  await first.settings.set("maildir", "./m");
  await first.counters.add(new Map([["pop3.logins", 3]]));
  const secret = await first.installation.secret();
  const sessions = await first.installation.reserveSessions(1);
  const revision = (await first.users.find("ann"))?.revision;
  await first[Symbol.asyncDispose]();
  await using second = await SqliteState.open({ path });
  assertEquals((await second.users.find("ann"))?.revision, revision);
  assertEquals([...await second.settings.all()], [["maildir", "./m"]]);
  assertEquals([...await second.counters.totals()], [["pop3.logins", 3]]);
  assertEquals(await second.installation.secret(), secret);
  assertEquals(await second.installation.reserveSessions(1), sessions + 1);
});

Deno.test("state file closes sessions that the last process left open as crashed", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/postern.db`;
  const start = { at: 5, user: "ann", address: "::1", tls: undefined, mechanism: "APOP" };
  const end = { ended: 7, messages: 1, octets: 2, deleted: 0, ending: "quit" };
  {
    await using first = await SqliteState.open({ path, now: () => 6 });
    first.accesses.opened({ ...start, session: "s1" });
    first.accesses.opened({ ...start, session: "s2" });
    first.accesses.completed("s2", end);
  }
  await using second = await SqliteState.open({ path, now: () => 9 });
  const crashed = { ended: 9, messages: 0, octets: 0, deleted: 0, ending: "crashed" };
  assertEquals(await second.accesses.list("ann", 5), [
    { ...start, session: "s1", end: crashed },
    { ...start, session: "s2", end },
  ]);
});

Deno.test("state file is refused to a second process, and free after the first ended", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/postern.db`;
  {
    await using _held = await SqliteState.open({ path });
    await refused(path, "held", /held by another process.*postern admin/);
  }
  await (await SqliteState.open({ path }))[Symbol.asyncDispose]();
});

Deno.test("state file that is no database is refused and left alone", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/postern.db`;
  const text = "This is a letter, and longer than a database's header of one hundred octets is. "
    .repeat(9);
  await Deno.writeTextFile(path, text);
  await refused(path, "foreign", /is not an SQLite database/);
  assertEquals(await Deno.readTextFile(path), text);
});

Deno.test("state file that is another program's database is refused and left alone", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/postern.db`;
  const other = new DatabaseSync(path);
  other.exec("CREATE TABLE songs (title TEXT)");
  other.close();
  const before = await Deno.readFile(path);
  await refused(path, "foreign", /database of another program/);
  assertEquals(await Deno.readFile(path), before);
});

Deno.test("state file of a newer version is refused and left alone", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/postern.db`;
  await (await SqliteState.open({ path }))[Symbol.asyncDispose]();
  const newer = new DatabaseSync(path);
  newer.exec("PRAGMA user_version = 1000");
  newer.close();
  const before = await Deno.readFile(path);
  await refused(path, "newer", /version 1000, made by a newer Postern/);
  assertEquals(await Deno.readFile(path), before);
});

Deno.test("state file that is damaged is refused with a sentence", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/postern.db`;
  {
    await using state = await SqliteState.open({ path });
    await state.users.putAll(Array.from({ length: 3000 }, (_, n) => account(`user${n}`)));
  }
  const file = await Deno.open(path, { write: true });
  await file.seek(8192, Deno.SeekMode.Start);
  await file.write(new Uint8Array(65536).fill(0xa5));
  file.close();
  await refused(path, "corrupt", /is damaged/);
  await Deno.truncate(path, 20_000);
  await refused(path, "corrupt", /is damaged/);
});

Deno.test("state file without a folder, or that is a folder, is refused with a sentence", async () => {
  await using folder = await temporaryFolder();
  await refused(`${folder.path}/none/postern.db`, "unusable", /there is no folder .*none/);
  await refused(folder.path, "unusable", /cannot be opened. It must be a file/);
});

Deno.test("state file of a killed process opens with every change that was acknowledged", async () => {
  await using folder = await temporaryFolder();
  for (const changes of [5, 33]) {
    const path = `${folder.path}/killed-${changes}.db`;
    const child = program("acknowledging_writer.ts", path);
    const acknowledged = await readUntilKilled(
      child,
      changes,
      () => refused(path, "held", /held by another process/),
    );
    assert(acknowledged >= changes - 1);
    await using state = await SqliteState.open({ path });
    for (let n = 0; n <= acknowledged; n++) assert(await state.users.find(`u${n}`), `user ${n}`);
    const count = await state.users.count();
    assertEquals((await Array.fromAsync(state.users.list())).length, count);
    assert(Number((await state.settings.all()).get("timeout")) >= acknowledged);
    const records = await state.accesses.list("ann", 100_000);
    assert(records.every(({ end }) => end?.ending === "crashed"));
  }
});

for (const how of ["a call", "nothing left to do"]) {
  Deno.test(`state file of a process that ended by ${how}, without closing it, opens`, async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/postern.db`;
    const args = [...arguments_("careless_writer.ts", path), how];
    await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
    await using state = await SqliteState.open({ path });
    assertEquals(await state.users.count(), 1);
  });
}

Deno.test({
  name: "state file on a disk that takes no more says so, and keeps what it has",
  ignore: Deno.build.os === "windows",
  async fn(): Promise<void> {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/postern.db`;
    // 240 blocks of 512 octets; the signal is ignored, so that the write itself fails.
    const script = `trap '' XFSZ; ulimit -f 240; exec "$@"`;
    const command = [Deno.execPath(), ...arguments_("filling_writer.ts", path)];
    const { code, stdout } = await new Deno.Command("bash", {
      args: ["-c", script, "bash", ...command],
      stderr: "inherit",
    }).output();
    const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
    assertEquals(code, 3);
    assertMatch(
      lines.at(-1) ?? "",
      /The state file .*postern\.db could not be (read or written|used).*Nothing was changed/,
    );
    assertEquals(lines.at(-2), "readable");
    const acknowledged = Number(lines.at(-3));
    await using state = await SqliteState.open({ path });
    assertEquals(await state.users.count(), acknowledged + 1);
  },
});

Deno.test("state file writes many notes in several goes, by itself", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/postern.db`;
  {
    await using state = await SqliteState.open({ path, flushAfter: 1 });
    const start = {
      at: Date.now(),
      user: "ann",
      address: "::1",
      tls: undefined,
      mechanism: "APOP",
    };
    for (let n = 0; n < 1100; n++) state.accesses.opened({ ...start, session: `s${n}` });
    while (state.accesses.pending > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await using state = await SqliteState.open({ path });
  assertEquals(await state.accesses.count("ann"), 1100);
});

Deno.test("state file writes noted accesses by itself", async () => {
  await using folder = await temporaryFolder();
  await using state = await SqliteState.open({ path: `${folder.path}/postern.db`, flushAfter: 1 });
  const size = async (): Promise<number> => (await Deno.stat(`${folder.path}/postern.db-wal`)).size;
  const before = await size();
  const start = { at: 5, user: "ann", address: "::1", tls: undefined, mechanism: "APOP" };
  state.accesses.opened({ ...start, session: "s1" });
  while (await size() === before) await new Promise((resolve) => setTimeout(resolve, 2));
});

Deno.test("state file has a login within a tenth of a second, also one that follows another", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/postern.db`;
  await using state = await SqliteState.open({ path });
  const start = { at: 5, user: "ann", address: "::1", tls: undefined, mechanism: "APOP" };
  // In one thread timers are due in the order of their ends, on a busy machine too: one of a tenth of a second shows that the state's was not
  // longer.
  const tenth = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));
  for (const session of ["s1", "s2"]) {
    const { size } = await Deno.stat(`${path}-wal`);
    state.accesses.opened({ ...start, session });
    await tenth();
    assert((await Deno.stat(`${path}-wal`)).size > size, session);
  }
  const { size } = await Deno.stat(`${path}-wal`);
  state.accesses.opened({ ...start, session: "s3" });
  await new Promise((resolve) => setTimeout(resolve, 0));
  state.accesses.opened({ ...start, session: "s4" });
  await tenth();
  assertEquals(state.accesses.pending, 0);
  assert((await Deno.stat(`${path}-wal`)).size > size);
});

async function refused(path: string, trouble: StateTrouble, sentence: RegExp): Promise<void> {
  const error = await assertRejects(() => SqliteState.open({ path }), StateStoreError);
  assertEquals(error.trouble, trouble);
  assertMatch(error.message, sentence);
  assert(error.message.includes(path));
}

function program(name: string, path: string): Deno.ChildProcess {
  const args = arguments_(name, path);
  return new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
}

function arguments_(name: string, path: string): string[] {
  const script = new URL(`./${name}`, import.meta.url).pathname;
  return [
    "run",
    "-q",
    "--no-check",
    "--cached-only",
    "--allow-read",
    "--allow-write",
    script,
    path,
  ];
}

/** Kills a program once it has said a line and `before` has settled; returns the last number of a whole line. */
async function readUntilKilled(
  child: Deno.ChildProcess,
  lines: number,
  before: () => Promise<void>,
): Promise<number> {
  let text = "";
  let killed: Promise<void> | undefined;
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.split("\n").length <= lines) continue;
    killed ??= before().finally(() => child.kill("SIGKILL"));
  }
  await killed;
  await child.status;
  return Number(text.split("\n").at(-2));
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
