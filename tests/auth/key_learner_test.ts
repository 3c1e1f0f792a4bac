// Keys that logins teach are kept later where they cannot be kept now, and the log hears of it.

import { assertEquals } from "@std/assert";
import { MemoryState } from "../../lib/state/memory/memory_state.ts";
import { AccountSource } from "../../lib/auth/account_source.ts";
import { KeyLearner } from "../../lib/auth/key_learner.ts";
import { PasswdFile } from "../../lib/auth/passwd/passwd_file.ts";
import { SourceDirectory } from "../../lib/auth/source_directory.ts";
import { password } from "../contracts/user_directory_contract.ts";

/** Of the password "secret", at the least cost. */
const HASH = {
  scheme: "BLF-CRYPT",
  data: "$2a$04$....................../dCAsp4PpJoDgv6BeaLP6BKrXlBV1oi",
} as const;

Deno.test("learned keys that cannot be kept are told of once, and kept at a later login", async () => {
  const state = new MemoryState();
  const salting = { salt: new Uint8Array(16), iterations: 4096 };
  for (const name of ["ann", "bob"]) {
    await state.users.put(
      { name, origin: "import", at: 1, ...salting, password: { kind: "foreign", hash: HASH } },
      { revision: undefined },
    );
  }
  const told: string[] = [];
  let now = 0;
  const learner = new KeyLearner({
    onTrouble: ({ message }) => told.push(message),
    onKept: () => told.push("kept"),
    retryAfter: 1000,
    now: () => now,
  });
  const source = await AccountSource.open(state.users);
  const directory = new SourceDirectory({ sources: [source], secret: new Uint8Array(32), learner });
  const login = async (user: string): Promise<void> =>
    assertEquals(await directory.verify(password(user, "secret")), { user });
  const kinds = async (): Promise<unknown[]> => [
    (await state.users.find("ann"))?.password.kind,
    (await state.users.find("bob"))?.password.kind,
  ];

  const learn = state.users.learn.bind(state.users);
  state.users.learn = () => Promise.reject(new Error("The disk is full"));
  await login("ann");
  await login("bob");
  assertEquals([told, learner.owed], [["The disk is full"], 2]);
  state.users.learn = learn;
  await login("bob");
  assertEquals(await kinds(), ["foreign", "foreign"], "tried again too soon");
  now = 1000;
  await login("bob");
  assertEquals(await kinds(), ["keys", "keys"]);
  assertEquals([told, learner.owed], [["The disk is full", "kept"], 0]);
});

Deno.test("keys learned for a passwd-file are kept later where the store failed", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, `ann:{BLF-CRYPT}${HASH.data}\n`);
  const { learned } = new MemoryState();
  const secret = new Uint8Array(32);
  const file = await PasswdFile.read({ path, secret, learned });
  await Deno.remove(path);
  const learner = new KeyLearner({ retryAfter: 0 });
  const directory = new SourceDirectory({ sources: [file], secret, learner });
  const put = learned.put.bind(learned);
  learned.put = () => Promise.reject(new Error("The disk is full"));
  assertEquals(await directory.verify(password("ann", "secret")), { user: "ann" });
  learned.put = put;
  assertEquals(await Array.fromAsync(learned.list()), []);
  assertEquals(await directory.verify(password("ann", "secret")), { user: "ann" });
  assertEquals((await Array.fromAsync(learned.list())).map(({ name }) => name), ["ann"]);
});
