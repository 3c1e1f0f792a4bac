// The register, the flags, the import and the offline commands, over a state in memory.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MemoryState } from "../../lib/state/memory/memory_state.ts";
import { AccountRegister } from "../../lib/auth/account_register.ts";
import { AccountSource } from "../../lib/auth/account_source.ts";
import { applyFlags } from "../../lib/auth/apply_flags.ts";
import { type FlagAccount, readFlagAccounts } from "../../lib/auth/flag_value.ts";
import { PasswdFile } from "../../lib/auth/passwd/passwd_file.ts";
import { PasswordWork } from "../../lib/auth/password_work.ts";
import { SourceDirectory } from "../../lib/auth/source_directory.ts";
import * as commands from "../../lib/auth/user_commands.ts";
import type { UserCommandOutcome } from "../../lib/auth/user_commands.ts";
import { VerificationCache } from "../../lib/auth/verification_cache.ts";
import { password, scram } from "../contracts/user_directory_contract.ts";

const secret = new Uint8Array(32).fill(7);
const msmp = { origin: "msmp" } as const;

interface House {
  readonly state: MemoryState;
  readonly register: AccountRegister;
  readonly directory: SourceDirectory;
  good(name: string, password: string): Promise<boolean>;
  apply(...flags: string[]): Promise<string[]>;
}

async function house(
  options: { readonly file?: PasswdFile; readonly defaultDomain?: string } = {},
): Promise<House> {
  const { file, defaultDomain } = options;
  const state = new MemoryState();
  const accounts = state.users;
  const source = await AccountSource.open(accounts);
  const work = new PasswordWork();
  const cache = new VerificationCache();
  const register = new AccountRegister({ accounts, source, work, cache, file, defaultDomain });
  const sources = file ? [source, file] : [source];
  const directory = new SourceDirectory({ sources, secret, work, cache, defaultDomain });
  return {
    state,
    register,
    directory,
    good: async (name, text) => await directory.verify(password(name, text)) !== undefined,
    apply: async (...flags) => {
      const given = await readFlagAccounts(flags, "-u");
      const outcomes = await applyFlags(given, { accounts, register, work });
      return outcomes.map(({ name, kind }) => `${name} ${kind}`);
    },
  };
}

Deno.test("register adds, updates and refuses", async () => {
  const { register, good } = await house();
  assertEquals(await register.set("ann", "x", msmp), { kind: "added", name: "ann" });
  assertEquals(await register.set("ann", "y", { ...msmp, limit: 1 }), {
    kind: "updated",
    name: "ann",
  });
  assertEquals(await register.set("bob", "x", { ...msmp, limit: 1 }), { kind: "limit" });
  assertEquals((await register.set("../x", "x", msmp)).kind, "unsafe-name");
  assertEquals(
    (await register.set("x".repeat(41), "x", { ...msmp, maxOctets: 40 })).kind,
    "unsafe-name",
  );
  assertEquals((await register.set("bob", "", msmp)).kind, "unsafe-password");
  assertEquals([await good("ann", "y"), await good("ann", "x")], [true, false]);
  assertEquals([await register.has("ann"), await register.has("bob")], [true, false]);
  assertEquals(await register.count(), 1);
});

Deno.test("register lets one of two changes at a time wait for the other", async () => {
  const { register, state } = await house();
  const kinds = await Promise.all(["a", "b", "c"].map((text) => register.set("ann", text, msmp)));
  assertEquals(kinds.map(({ kind }) => kind).sort(), ["added", "updated", "updated"]);
  const labels = ["one", "two", "three", "four"];
  const keys = await Promise.all(labels.map((label) => register.addKey("ann", label)));
  assertEquals(keys.map(({ kind }) => kind), labels.map(() => "added"));
  assertEquals((await state.users.find("ann"))?.appPasswords.length, 4);
});

Deno.test("register makes app passwords that are read easily and work until deleted", async () => {
  const { register, directory, good } = await house();
  await register.set("ann", "x", msmp);
  const key = await register.addKey("ann", "my phone");
  if (key.kind !== "added") throw new Error(key.kind);
  assertMatch(key.password, /^([a-z2-7]{4}-){5}[a-z2-7]{4}$/);
  assertEquals(await good("ann", key.password), true);
  assertEquals(await register.addKey("ann", "my phone"), { kind: "exists" });
  assertEquals(await register.addKey("bob", "my phone"), { kind: "absent" });
  assertEquals((await register.addKey("ann", "a\r\nb")).kind, "unsafe-label");
  assertEquals((await register.listKeys("ann"))?.map(({ label }) => label), ["my phone"]);
  assertEquals(await register.listKeys("bob"), undefined);
  await register.set("ann", "y", msmp);
  assertEquals(await scram(directory, "ann", key.password), true, "it outlives a new password");
  assertEquals(await scram(directory, "ann", "y"), true);
  assertEquals(await register.deleteKey("ann", "my phone"), true);
  assertEquals(await register.deleteKey("ann", "my phone"), false);
  assertEquals([await good("ann", key.password), await good("ann", "y")], [false, true]);
});

Deno.test("register and passwd-file: the state wins, and the file is named", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "ann:{PLAIN}file\nzoe:{PLAIN}file\nEve:{PLAIN}file\n");
  const file = await PasswdFile.read({ path, secret });
  const { register, good } = await house({ file });
  await register.set("ann", "state", msmp);
  await register.set("mia", "state", msmp);
  assertEquals([await good("ann", "state"), await good("ann", "file")], [true, false]);
  assertEquals(await good("zoe", "file"), true);
  assertEquals(await Array.fromAsync(register.list()), ["Eve", "ann", "mia", "zoe"]);
  assertEquals(await Array.fromAsync(register.list({ after: "ann" })), ["mia", "zoe"]);
  assertEquals(await register.delete("zoe"), { kind: "in-file", path });
  assertEquals(await register.addKey("zoe", "phone"), { kind: "in-file", path });
  assertEquals(await register.delete("ann"), { kind: "deleted", remainsIn: path });
  assertEquals(await register.delete("mia"), { kind: "deleted" });
  assertEquals(await register.delete("mia"), { kind: "absent" });
  await Deno.remove(path);
});

Deno.test("flags create, change once, and leave alone what was changed or deleted since", async () => {
  const { register, apply, good } = await house();
  assertEquals(await apply("ann:one:two", "bob:x"), ["ann added", "bob added"]);
  assertEquals(await good("ann", "one:two"), true);
  assertEquals(await apply("ann:one:two", "bob:x"), ["ann kept", "bob kept"]);
  await register.set("ann", "by hand", msmp);
  await register.delete("bob");
  assertEquals(await apply("ann:one:two", "bob:x"), ["ann kept", "bob left-deleted"]);
  assertEquals([await good("ann", "by hand"), await good("bob", "x")], [true, false]);
  assertEquals(await apply("ann:three", "bob:y"), ["ann changed", "bob added"]);
  assertEquals([await good("ann", "three"), await good("bob", "y")], [true, true]);
  await register.delete("bob");
  assertEquals(await apply("ann:three"), ["ann kept"]);
  assertEquals(await apply("ann:three", "bob:y"), ["ann kept", "bob added"]);
  await register.set("cleo", "x", msmp);
  assertEquals(await apply("cleo:y"), ["cleo changed"]);
});

Deno.test("flags keep the app passwords of those whose password they change", async () => {
  const { register, apply, directory } = await house();
  await apply("ann:one");
  const key = await register.addKey("ann", "phone");
  if (key.kind !== "added") throw new Error(key.kind);
  assertEquals(await apply("ann:two"), ["ann changed"]);
  assertEquals(await scram(directory, "ann", key.password), true);
  assertEquals(await scram(directory, "ann", "two"), true);
});

Deno.test("flags that changed nothing make the next login quick, unless the password was changed", async () => {
  const accounts = new MemoryState().users;
  const source = await AccountSource.open(accounts);
  const work = new PasswordWork();
  const remembered = async (): Promise<number> => {
    const cache = new VerificationCache();
    const register = new AccountRegister({ accounts, source, work, cache });
    await applyFlags([{ name: "ann", password: "one" }], { accounts, register, work });
    return cache.size;
  };
  assertEquals([await remembered(), await remembered()], [1, 1]);
  await new AccountRegister({ accounts, source, work }).set("ann", "two", msmp);
  assertEquals(await remembered(), 0);
});

Deno.test("flags that mean one account twice are refused", async () => {
  const { apply } = await house({ defaultDomain: "example.org" });
  await assertRejects(() => apply("ann:x", "ann@example.org:y"), SyntaxError, "twice");
});

Deno.test("flag values split at the first colon and read files", async () => {
  const files: Record<string, string> = { "pw": "from file\n", "crlf": "x\r\n", "two": "x\n\n" };
  // deno-lint-ignore require-await -- what is thrown must reject
  const read = async (path: string): Promise<string> => {
    const text = files[path];
    if (text === undefined) throw new Deno.errors.NotFound("No such file");
    return text;
  };
  const one = async (value: string): Promise<FlagAccount | undefined> =>
    (await readFlagAccounts([value], "-u", read))[0];
  assertEquals(await one("ann:a:b"), { name: "ann", password: "a:b" });
  assertEquals(await one("ann:@pw"), { name: "ann", password: "from file" });
  assertEquals(await one("ann:@crlf"), { name: "ann", password: "x" });
  assertEquals(await one("ann:@two"), { name: "ann", password: "x\n" });
  assertEquals(await one("ann:@@pw"), { name: "ann", password: "@pw" });
  assertEquals(await one("ann: x "), { name: "ann", password: " x " });
  for (
    const [value, sentence] of [
      ["ann", "-u needs NAME:PASS, or NAME:@FILE"],
      ["ann:", "the password is empty"],
      [":x", "it is empty"],
      ["a/b:x", "it holds a slash"],
      ["ann:@none", "none cannot be read: no such file or folder (ENOENT)"],
    ] as const
  ) await assertRejects(() => one(value), SyntaxError, sentence);
  const twice = readFlagAccounts(["ann:x", "ann:y"], "-a", read);
  await assertRejects(() => twice, SyntaxError, "-a names ann twice");
});

Deno.test("user commands add, change, list, import and delete, each with a sentence", async () => {
  const { state, register, directory, good } = await house();
  const context = { accounts: state.users, register, fields: state.fields };
  assertEquals(await told(commands.addUser(context, "ann", "x")), ["Added user ann"]);
  assertEquals(await told(commands.addUser(context, "ann", "x")), [
    "!User ann exists; set the password with postern user passwd",
  ]);
  assertEquals(await told(commands.changePassword(context, "ann", "y")), [
    "Changed the password of ann",
  ]);
  assertEquals(await told(commands.changePassword(context, "\u009bbob", "y")), [
    "!No such user: \\x9bbob; create it with postern user add",
  ]);
  const [key = ""] = await told(commands.addUserKey(context, "ann", "phone"));
  assertEquals(await good("ann", key), true);
  const [line] = await told(commands.listUserKeys(context, "ann"));
  assertMatch(line ?? "", /^\d{4}-\d\d-\d\d phone$/);
  const scramLine = `bob:{SCRAM-SHA-256}4096,AAAA,${"A".repeat(43)}=,${"A".repeat(43)}=`;
  const text = `${scramLine}\n${scramLine.replace("bob", "ann")}\n` +
    "cleo:{PLAIN}x\ndora:{BLF-CRYPT}$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n";
  assertEquals(await told(commands.importUserFile(context, text, "users")), [
    "Added 3, updated 0",
    "Skipped ann: it has app passwords with a different salt; delete them first",
  ]);
  assertEquals(directory.scramForAll, false);
  assertEquals([await good("cleo", "x"), await good("ann", "y")], [true, true]);
  assertEquals(await good("dora", "correct horse"), true);
  assertEquals(directory.scramForAll, true);
  assertEquals(await scram(directory, "dora", "correct horse"), true);
  assertEquals(await told(commands.importUserFile(context, "eve:{PLAIN}x\nbad", "users")), [
    "!users, line 2: a line must have the form name:{SCHEME}data",
  ]);
  const listed = commands.listUsers(context);
  assertEquals(await told(Promise.resolve(listed)), ["ann", "bob", "cleo", "dora"]);
  assertEquals(await told(commands.deleteUserKey(context, "ann", "phone")), [
    "Deleted app password phone of ann",
  ]);
  assertEquals(await told(commands.deleteUserKey(context, "ann", "phone")), [
    "!ann has no app password phone",
  ]);
  assertEquals(await told(commands.deleteUser(context, "ann")), [
    "Deleted user ann; the mail stays",
  ]);
  assertEquals(await told(commands.deleteUser(context, "ann")), ["!No such user: ann"]);
});

Deno.test("register keeps the last administrator", async () => {
  const { administrators } = new MemoryState();
  const source = await AccountSource.open(administrators);
  const work = new PasswordWork();
  const register = new AccountRegister({ accounts: administrators, source, work });
  await register.set("root", "x", msmp);
  assertEquals(await register.delete("root", { keepLast: true }), { kind: "last" });
  const directory = new SourceDirectory({ sources: [source], secret, work });
  assertEquals(await directory.verify(password("root", "x")), { user: "root" });
});

/** The lines of an outcome; a refusal's sentence with a mark before it. */
async function told(outcome: Promise<UserCommandOutcome>): Promise<string[]> {
  const ended = await outcome;
  return ended.ok ? await Array.fromAsync(ended.lines) : [`!${ended.message}`];
}
