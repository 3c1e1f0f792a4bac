// A state file that is not what was written is refused with a sentence: truncated, without its log, with other bits, of another time.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "node:path";
import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import { StateStoreError, type StateTrouble } from "../../lib/contracts/state_store.ts";
import { account } from "../contracts/state_store_contract.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { makeVersion1, MINUTE_OF_VERSION_1 } from "./version_1.ts";

const USERS = 300;
const now = (): number => MINUTE_OF_VERSION_1 * 60_000;

/** A state file with users, closed well. */
async function makeState(path: string): Promise<void> {
  await using state = await SqliteState.open({ path });
  await state.users.putAll(Array.from({ length: USERS }, (_, n) => account(`user${n}`, n % 200)));
  await state.settings.set("timeout", "700");
}

/** What a kill would leave of a state that is at work: changed since it was opened, with counters in the log. */
async function leaveAsKilled(folder: string, path: string): Promise<void> {
  const living = join(folder, "living.db");
  await makeState(living);
  await using state = await SqliteState.open({ path: living });
  await state.users.put(account("late"), { revision: undefined });
  await state.counters.add(new Map([["pop3.logins", 3]]));
  for (const suffix of ["", "-wal"]) await Deno.copyFile(living + suffix, path + suffix);
}

async function refused(path: string, trouble: StateTrouble, sentence: RegExp): Promise<void> {
  const error = await assertRejects(() => SqliteState.open({ path }), StateStoreError);
  assertEquals(error.trouble, trouble, error.message);
  assertMatch(error.message, sentence);
  assert(error.message.includes(path));
}

/** All that says who may log in. */
async function users(path: string): Promise<unknown[]> {
  await using state = await SqliteState.open({ path });
  const names = await Array.fromAsync(state.users.list());
  return await Promise.all(names.map((name) => state.users.find(name)));
}

async function flip(path: string, bit: number): Promise<void> {
  const octets = await Deno.readFile(path);
  const at = Math.floor(bit / 8) % octets.length;
  octets[at] = octets[at]! ^ (1 << bit % 8);
  await Deno.writeFile(path, octets);
}

Deno.test("state file that was truncated to nothing is refused, and named --new-state and restore", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postern.db");
  await makeState(path);
  await Deno.truncate(path, 0);
  await refused(path, "empty", /is empty: .*postern restore FILE.*--new-state/);
  assertEquals((await Deno.stat(path)).size, 0);
  await leaveAsKilled(folder.path, join(folder.path, "killed.db"));
  await Deno.truncate(join(folder.path, "killed.db"), 0);
  await refused(join(folder.path, "killed.db"), "empty", /is empty/);
});

Deno.test("state file that was cut to any length is refused", async () => {
  await using folder = await temporaryFolder();
  const [path, cut] = [join(folder.path, "postern.db"), join(folder.path, "cut.db")];
  await makeState(path);
  const whole = await Deno.readFile(path);
  for (const length of [1, 99, 100, 511, 512, 4095, 4096, 8192, 20_000, whole.length - 1]) {
    await Deno.writeFile(cut, whole.subarray(0, length));
    await assertRejects(() => SqliteState.open({ path: cut }), StateStoreError, cut);
    assertEquals(await Deno.readFile(cut), whole.subarray(0, length), `${length} octets`);
  }
});

Deno.test("state file whose bits were changed is refused, or has every user as it was", async () => {
  await using folder = await temporaryFolder();
  const [path, changed] = [join(folder.path, "postern.db"), join(folder.path, "changed.db")];
  await makeState(path);
  const all = await users(path);
  const { size } = await Deno.stat(path);
  let refusals = 0;
  for (let n = 0; n < 80; n++) {
    await Deno.copyFile(path, changed);
    // Evenly over the file, and over the bits of an octet.
    await flip(changed, Math.floor((n + 0.5) * size / 80) * 8 + n % 8);
    try {
      assertEquals(await users(changed), all, `flip ${n}`);
    } catch (error) {
      if (!(error instanceof StateStoreError)) throw error;
      refusals++;
    }
  }
  assert(refusals > 15, `only ${refusals} were noticed: the users fill more of the file than that`);
});

Deno.test("state file without the log of its last run is refused, with a way to take it as it is", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postern.db");
  await leaveAsKilled(folder.path, path);
  const log = await Deno.readFile(`${path}-wal`);
  await Deno.remove(`${path}-wal`);
  for (let times = 0; times < 2; times++) {
    await refused(
      path,
      "corrupt",
      /postern\.db-wal, which belongs to it, is missing.*postern restore/,
    );
  }
  await Deno.writeFile(`${path}-wal`, log);
  assertEquals((await users(path)).length, USERS + 1);
});

Deno.test("state file of a killed run has every user, whatever became of its log's bits", async () => {
  await using folder = await temporaryFolder();
  const [path, changed] = [join(folder.path, "postern.db"), join(folder.path, "changed.db")];
  await leaveAsKilled(folder.path, path);
  const { size } = await Deno.stat(`${path}-wal`);
  assert(size > 0);
  for (let n = 0; n < 40; n++) {
    for (const suffix of ["", "-wal"]) await Deno.copyFile(path + suffix, changed + suffix);
    if (n % 2 === 0) await flip(`${changed}-wal`, Math.floor(n * size / 40) * 8 + n % 8);
    else await Deno.truncate(`${changed}-wal`, Math.floor(n * size / 40));
    const names = new Set((await users(changed)).map((user) => (user as { name: string }).name));
    assertEquals([names.size, names.has("late")], [USERS + 1, true], `change ${n}`);
  }
});

Deno.test("state file is missing beside its log: nothing new is made in its place", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postern.db");
  await leaveAsKilled(folder.path, path);
  await Deno.remove(path);
  await refused(path, "corrupt", /There is no state file .*--new-state/);
  await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
});

Deno.test("state file beside the log of another time is refused, and neither is changed", async () => {
  await using folder = await temporaryFolder();
  const [path, old] = [join(folder.path, "postern.db"), join(folder.path, "old.db")];
  await makeState(old);
  await Deno.copyFile(old, path);
  {
    await using state = await SqliteState.open({ path });
    await state.users.delete("user7");
    await state.counters.add(new Map([["pop3.logins", 3]]));
    await Deno.copyFile(`${path}-wal`, `${old}-wal`);
  }
  const before = await Promise.all(["", "-wal"].map((suffix) => Deno.readFile(old + suffix)));
  await refused(old, "corrupt", /is damaged \(it should hold 299 users and holds 300\)/);
  const after = await Promise.all(["", "-wal"].map((suffix) => Deno.readFile(old + suffix)));
  assertEquals(after, before);
});

Deno.test("state file that is damaged is set aside when a new state is asked for, and kept", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postern.db");
  await leaveAsKilled(folder.path, path);
  await Deno.truncate(path, 8192);
  const left = await Deno.readFile(path);
  const said: string[] = [];
  {
    await using state = await SqliteState.open({
      path,
      newState: true,
      warn: (it) => said.push(it),
    });
    assertEquals(await state.users.count(), 0);
    await state.users.put(account("ann"), { revision: undefined });
  }
  const kept = /is kept as (\S+)\. /.exec(said.join("\n"))?.[1];
  if (kept === undefined) throw new Error(said.join("\n"));
  assertEquals(await Deno.readFile(kept), left);
  assert((await Deno.stat(`${kept}-wal`)).size > 0);
  // A flag that was left in place takes nobody's users away.
  await using again = await SqliteState.open({ path, newState: true, warn: (it) => said.push(it) });
  assertEquals(await again.users.count(), 1);
  assertMatch(said.at(-1) ?? "", /is sound and is used as it is/);
});

Deno.test("state file that is empty becomes a new one when that is asked for", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postern.db");
  await Deno.writeTextFile(path, "");
  await using state = await SqliteState.open({ path, newState: true });
  assertEquals(await state.users.count(), 0);
  assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
});

Deno.test("state file of another program or a newer version is not set aside for a new state", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postern.db");
  await Deno.writeTextFile(path, "a letter to ann\n".repeat(99));
  await assertRejects(
    () => SqliteState.open({ path, newState: true }),
    StateStoreError,
    "is not an SQLite database",
  );
  assertEquals((await Array.fromAsync(Deno.readDir(folder.path))).length, 1);
});

Deno.test("state file that others may read is taken from them, with what is beside it", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postern.db");
  await leaveAsKilled(folder.path, path);
  for (const suffix of ["", "-wal"]) await Deno.chmod(path + suffix, 0o664);
  const said: string[] = [];
  await using _state = await SqliteState.open({ path, warn: (it) => said.push(it) });
  for (const suffix of ["", "-wal"]) {
    assertEquals(((await Deno.stat(path + suffix)).mode ?? 0) & 0o777, 0o600, suffix);
  }
  assertEquals(said, []);
});

for (const killed of [false, true]) {
  const how = killed ? "with all of it in its log" : "closed";
  Deno.test(`state file of version 1, ${how}, has everything in the present version`, async () => {
    await using folder = await temporaryFolder();
    const [path, first] = [join(folder.path, "postern.db"), join(folder.path, "first.db")];
    makeVersion1(first, 50, () => {
      for (const suffix of killed ? ["", "-wal"] : []) {
        Deno.copyFileSync(first + suffix, path + suffix);
      }
    });
    if (!killed) await Deno.copyFile(first, path);
    for (let start = 0; start < 2; start++) {
      await using state = await SqliteState.open({ path, now });
      assertEquals(await state.users.count(), 51);
      assertEquals((await Array.fromAsync(state.users.list())).length, 51);
      assertEquals((await state.users.find("u0"))?.appPasswords.length, 1);
      assertEquals((await state.users.find("foreign"))?.password.kind, "foreign");
      assertEquals(await Array.fromAsync(state.administrators.list()), ["root"]);
      assertEquals((await state.administrators.flags()).map(({ name }) => name), ["root"]);
      assertEquals((await Array.fromAsync(state.learned.list())).map(({ name }) => name), [
        "carol",
      ]);
      assertEquals([...await state.settings.all()], [["timeout", "700"]]);
      assertEquals((await state.accesses.list("u0", 9)).map(({ end }) => end?.ending), ["crashed"]);
      assertEquals([...await state.counters.totals()], [["pop3.logins", 3]]);
      const minutes = await Array.fromAsync(state.counters.history("pop3.logins", 0));
      assertEquals(minutes, [{ minute: MINUTE_OF_VERSION_1, value: 2 }]);
      assertEquals(await state.installation.reserveSessions(1), 78 + start);
      assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    }
  });
}
