// The state file and its twin in memory answer alike, whatever is done to them in whatever order.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { AccountStore } from "../../lib/contracts/account_store.ts";
import { MemoryAccounts } from "../../lib/state/memory/accounts.ts";
import { SqliteAccounts } from "../../lib/state/sqlite/accounts.ts";
import { SqliteDatabase } from "../../lib/state/sqlite/database.ts";
import { account } from "../contracts/state_store_contract.ts";

const key = new Uint8Array(32);
const foreign = { kind: "foreign", hash: { scheme: "BLF-CRYPT", data: "$2y$" } } as const;

/** What can be done; `stale` takes the revision of before the last change. */
const step = fc.record({
  what: fc.constantFrom(
    "put",
    "import",
    "learn",
    "delete",
    "keepLast",
    "addKey",
    "deleteKey",
    "flags",
  ),
  name: fc.constantFrom("a", "b", "ä", "z"),
  stale: fc.boolean(),
  limit: fc.constantFrom(undefined, 0, 1, 2),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

Deno.test("state file and state in memory answer alike", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const database = SqliteDatabase.open(":memory:");
      const file = await answers(new SqliteAccounts(database, "user"), steps);
      database.close();
      assertEquals(file, await answers(new MemoryAccounts("user"), steps));
    }),
    { numRuns: 60 },
  );
});

async function answers(accounts: AccountStore, steps: readonly Step[]): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const step of steps) {
    all.push(await answer(accounts, step));
    all.push(
      await accounts.find(step.name),
      await accounts.count(),
      [...await accounts.foreignHashes()].sort(),
    );
    all.push(await Array.fromAsync(accounts.list()), await accounts.listAppPasswords(step.name));
  }
  return all;
}

async function answer(
  accounts: AccountStore,
  { what, name, stale, limit }: Step,
): Promise<unknown> {
  const present = (await accounts.find(name))?.revision;
  const revision = stale ? (present ?? 1) - 1 : present;
  const keys = { storedKey: key, serverKey: key };
  switch (what) {
    case "put":
      return await accounts.put(
        account(name),
        limit === undefined ? { revision } : { revision, limit },
      );
    case "import":
      return await accounts.putAll([{ ...account(name), password: foreign }, account("z")]);
    case "learn":
      return await accounts.learn(name, revision ?? 0, keys);
    case "delete":
      return await accounts.delete(name);
    case "keepLast":
      return await accounts.delete(name, { keepLast: true });
    case "addKey":
      return await accounts.addAppPassword(name, revision ?? 0, { label: "l", at: 1, ...keys });
    case "deleteKey":
      return await accounts.deleteAppPassword(name, "l");
    case "flags": {
      const memory = { name, salt: key, iterations: 4096, storedKey: key };
      await accounts.applyFlags([memory], stale ? [account(name)] : []);
      return await accounts.flags();
    }
  }
}
