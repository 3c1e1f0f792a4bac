// The directory over each source does what every user directory must; and a refusal tells nothing by its time.

import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { MemoryState } from "../../lib/state/memory/memory_state.ts";
import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import type { StateStore } from "../../lib/contracts/state_store.ts";
import { AccountRegister } from "../../lib/auth/account_register.ts";
import { AccountSource } from "../../lib/auth/account_source.ts";
import { ForeignHashes } from "../../lib/auth/foreign_hashes/foreign_hashes.ts";
import { KeyLearner } from "../../lib/auth/key_learner.ts";
import { PasswdFile } from "../../lib/auth/passwd/passwd_file.ts";
import { PasswordWork } from "../../lib/auth/password_work.ts";
import { PlainUsers } from "../../lib/auth/plain_users.ts";
import { SourceDirectory } from "../../lib/auth/source_directory.ts";
import { type UserDirectory, UserDirectoryError } from "../../lib/contracts/user_directory.ts";
import type { UserSource } from "../../lib/contracts/user_source.ts";
import { VerificationCache } from "../../lib/auth/verification_cache.ts";
import {
  contractBearer,
  password,
  scram,
  userDirectoryContract,
} from "../contracts/user_directory_contract.ts";

const secret = new Uint8Array(32).fill(5);
const users = [["ann", "tanstaaf"], ["bob", "a b:c"], ["üml", "pässword"]] as const;

function directoryOf(
  source: UserSource,
  dispose: () => Promise<void> = () => Promise.resolve(),
): UserDirectory & AsyncDisposable {
  const directory = new SourceDirectory({ sources: [source], secret, bearer: contractBearer });
  return Object.assign(directory, { [Symbol.asyncDispose]: dispose });
}

userDirectoryContract(
  "directory in memory",
  () => Promise.resolve(directoryOf(new PlainUsers(users, { secret }))),
  { clear: true },
);

userDirectoryContract("directory over a passwd-file", async () => {
  const path = await Deno.makeTempFile();
  const lines = users.map(([name, password]) => `${name}:{PLAIN}${password}:1:1::::`);
  await Deno.writeTextFile(path, `# users\n\n${lines.join("\r\n")}\n`);
  return directoryOf(await PasswdFile.read({ path, secret }), () => Deno.remove(path));
}, { clear: true, colons: false });

async function stateDirectory(state: StateStore): Promise<UserDirectory & AsyncDisposable> {
  const source = await AccountSource.open(state.users);
  const register = new AccountRegister({ accounts: state.users, source, work: new PasswordWork() });
  for (const [name, password] of users) await register.set(name, password, { origin: "command" });
  return directoryOf(source, () => Promise.resolve(state[Symbol.asyncDispose]()));
}

userDirectoryContract(
  "directory over the state in memory",
  () => stateDirectory(new MemoryState()),
  { clear: false },
);

userDirectoryContract(
  "directory over the state file",
  async () => stateDirectory(await SqliteState.open({ path: ":memory:" })),
  { clear: false },
);

Deno.test("directory asks the first source that knows a name", async () => {
  const first = new PlainUsers([["ann", "one"]], { secret });
  const second = new PlainUsers([["ann", "two"], ["bob", "three"]], { secret });
  const directory = new SourceDirectory({ sources: [first, second], secret });
  assertEquals(await directory.verify(password("ann", "one")), { user: "ann" });
  assertEquals(await directory.verify(password("ann", "two")), undefined);
  assertEquals(await directory.verify(password("bob", "three")), { user: "bob" });
});

Deno.test("directory completes names with the default domain", async () => {
  const source = new PlainUsers([["ann@example.org", "one"], ["ann@other.org", "two"]], { secret });
  const directory = new SourceDirectory({
    sources: [source],
    secret,
    defaultDomain: "example.org",
  });
  assertEquals(await directory.verify(password("ann", "one")), { user: "ann@example.org" });
  assertEquals(await directory.verify(password("ann@other.org", "two")), { user: "ann@other.org" });
  assertEquals(await directory.verify(password("ann", "two")), undefined);
});

Deno.test("directory forgets a password at once when it was changed or its user deleted", async () => {
  const state = new MemoryState();
  const source = await AccountSource.open(state.users);
  const work = new PasswordWork();
  const cache = new VerificationCache();
  const register = new AccountRegister({ accounts: state.users, source, work, cache });
  const directory = new SourceDirectory({ sources: [source], secret, work, cache });
  const good = async (text: string): Promise<boolean> =>
    await directory.verify(password("ann", text)) !== undefined;
  await register.set("ann", "old", { origin: "msmp" });
  assertEquals([await good("old"), await good("old"), await good("new")], [true, true, false]);
  await register.set("ann", "new", { origin: "msmp" });
  assertEquals([await good("old"), await good("new")], [false, true]);
  const key = await register.addKey("ann", "phone");
  if (key.kind !== "added") throw new Error(key.kind);
  assertEquals([await good(key.password), await good(key.password)], [true, true]);
  assertEquals(await scram(directory, "ann", key.password), true);
  assertEquals(await scram(directory, "ann", "new"), true);
  await register.deleteKey("ann", "phone");
  assertEquals([await good(key.password), await good("new")], [false, true]);
  await register.delete("ann");
  assertEquals(await good("new"), false);
  await register.set("ann", "third", { origin: "msmp" });
  assertEquals([await good("new"), await good("third")], [false, true]);
});

Deno.test("directory checks a remembered password without the slow work", async () => {
  const state = new MemoryState();
  const source = await AccountSource.open(state.users);
  const counted = new CountedWork();
  const register = new AccountRegister({ accounts: state.users, source, work: new PasswordWork() });
  await register.set("ann", "tanstaaf", { origin: "msmp" });
  const directory = new SourceDirectory({ sources: [source], secret, work: counted });
  for (let round = 0; round < 5; round++) await directory.verify(password("ann", "tanstaaf"));
  assertEquals(counted.derivations, 1);
});

Deno.test("directory does the same work for an unknown name as for a wrong password", async () => {
  const state = new MemoryState();
  const source = await AccountSource.open(state.users);
  const work = new PasswordWork();
  await new AccountRegister({ accounts: state.users, source, work }).set("ann", "tanstaaf", {
    origin: "msmp",
  });
  const plain = new PlainUsers([["bob", "in clear"]], { secret });
  const counted = new CountedWork();
  const directory = new SourceDirectory({ sources: [source, plain], secret, work: counted });
  for (const user of ["ann", "bob", "nobody"]) {
    counted.rounds = 0;
    assertEquals(await directory.verify(password(user, "wrong")), undefined);
    assertEquals(counted.rounds, 4096, user);
  }
});

Deno.test("directory makes up other salts in another installation", async () => {
  const source = new PlainUsers([], { secret });
  const here = new SourceDirectory({ sources: [source], secret });
  const there = new SourceDirectory({ sources: [source], secret: new Uint8Array(32) });
  const salts = [here, there].map(async (it) => (await it.scramParameters("ann")).salt);
  assertNotEquals(await salts[0], await salts[1]);
});

/** Counts what is derived. */
class CountedWork extends PasswordWork {
  derivations = 0;
  rounds = 0;

  override derive(...args: Parameters<PasswordWork["derive"]>): ReturnType<PasswordWork["derive"]> {
    this.derivations++;
    this.rounds += args[1].iterations;
    return super.derive(...args);
  }
}

Deno.test("directory checks a foreign hash for every refusal while there is one", async () => {
  const hash = "$6$rounds=1000$a$" +
    "q/ZSdy9IBSzcpbaIjdRTOu569QiYiP4n7Ab08Oq1Ir6J.GD1xR3BAwRIYHnavtE1Wzodknd9BxknlHhFBP/az1";
  const source = new PlainUsers([["ann", "tanstaaf"]], { secret });
  Object.assign(source, { costliestForeign: { scheme: "SHA512-CRYPT", data: hash } });
  const foreign = new CountedForeign();
  const directory = new SourceDirectory({ sources: [source], secret, foreign });
  assertEquals(directory.scramForAll, false);
  for (const user of ["ann", "nobody"]) {
    assertEquals(await directory.verify(password(user, "wrong")), undefined);
  }
  assertEquals(foreign.checks, 2);
  assertEquals(await directory.verify(password("ann", "tanstaaf")), { user: "ann" });
  assertEquals(foreign.checks, 2);
  foreign.answer = true;
  assertEquals(await directory.verify(password("nobody", "wrong")), undefined);
  assertEquals(await directory.verify(password("ann", "wrong")), undefined);
});

Deno.test("directory lets a user in when what the login taught cannot be kept", async () => {
  const source = new PlainUsers([["ann", "tanstaaf"]], { secret });
  const full = new Error("the disk is full");
  Object.assign(source, { learn: () => Promise.reject(full) });
  const troubles: Error[] = [];
  const onTrouble = (error: Error): void => void troubles.push(error);
  const learner = new KeyLearner({ onTrouble });
  const directory = new SourceDirectory({ sources: [source], secret, learner });
  assertEquals(await scram(directory, "ann", "tanstaaf"), true);
  assertEquals(troubles, [full]);
});

Deno.test("directory says when users cannot be looked up", async () => {
  const source = new PlainUsers([], { secret });
  Object.assign(source, { find: () => Promise.reject(new Error("the disk is gone")) });
  const directory = new SourceDirectory({ sources: [source], secret });
  const error = await assertRejects(
    () => directory.verify(password("ann", "x")),
    UserDirectoryError,
  );
  assertEquals(error.message, "Users cannot be looked up: the disk is gone");
  await assertRejects(() => directory.scramParameters("ann"), UserDirectoryError);
});

/** Answers without checking, and counts. */
class CountedForeign extends ForeignHashes {
  checks = 0;
  answer = false;

  override verify(): Promise<boolean> {
    this.checks++;
    return Promise.resolve(this.answer);
  }
}
