// A state goes from a file into a database and back, and is the same.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import { account } from "../contracts/state_store_contract.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { freshSchema, testPostgres } from "../support/postgres.ts";
import { runProgram } from "../support/program.ts";
import { Cluster, clusterTest, visit } from "./nodes.ts";

clusterTest(
  "state copy takes everything from a file into a database and back, row by row",
  async () => {
    await using folder = await temporaryFolder();
    const [path, back] = [join(folder.path, "postern.db"), join(folder.path, "back.db")];
    const postgres = testPostgres();
    const url = postgres.url(freshSchema());
    const keys = { storedKey: new Uint8Array(32).fill(5), serverKey: new Uint8Array(32).fill(6) };
    {
      await using state = await SqliteState.open({ path });
      await state.users.putAll([account("ann"), account("bob", 2), account("ü", 3)]);
      const hash = { scheme: "BLF-CRYPT", data: "$2y$…" } as const;
      await state.users.put({ ...account("old"), password: { kind: "foreign", hash } }, {
        revision: undefined,
      });
      await state.administrators.put(account("root"), { revision: undefined });
      const revision = (await state.users.find("ann"))!.revision;
      await state.users.addAppPassword("ann", revision, { label: "phone", at: 7, ...keys });
      await state.settings.set("timeout", "700");
      await state.counters.add(new Map([["pop3.logins", 3]]), new Map([["pop3.sessions.peak", 9]]));
      await state.installation.reserveSessions(50);
      const start = { at: 5, user: "ann", address: "::1", tls: undefined, mechanism: "APOP" };
      state.accesses.opened({ ...start, session: "1-1" });
      const end = { ended: 9, messages: 1, octets: 2, deleted: 3, ending: "quit" };
      state.accesses.completed("1-1", end);
    }
    const copy = (from: string, to: string): ReturnType<typeof runProgram> =>
      runProgram(["state", "copy", from, to, "--state-password", postgres.password]);
    const there = await copy(path, url);
    assertEquals(there.code, 0, there.stderr);
    assertMatch(there.stdout, /^Copied 5 accounts, 1 setting and 1 access record/);
    const again = await copy(path, url);
    assertEquals(again.code, 1);
    assertMatch(again.stderr, /holds users already/);
    const home = await copy(url, back);
    assertEquals(home.code, 0, home.stderr);
    await using one = await SqliteState.open({ path });
    await using other = await SqliteState.open({ path: back });
    for (const name of ["ann", "bob", "ü", "old"]) {
      assertEquals(await other.users.find(name), await one.users.find(name));
    }
    assertEquals(
      await other.users.listAppPasswords("ann"),
      await one.users.listAppPasswords("ann"),
    );
    assertEquals(await other.installation.secret(), await one.installation.secret());
    assertEquals(
      await other.installation.reserveSessions(1),
      await one.installation.reserveSessions(1),
    );
    assertEquals(await other.accesses.list("ann", 9), await one.accesses.list("ann", 9));
    assertEquals(await other.counters.totals(), await one.counters.totals());
    const revision = async (state: SqliteState): Promise<number> => {
      await state.users.put(account("new"), { revision: undefined });
      return (await state.users.find("new"))!.revision;
    };
    assert(await revision(other) >= await revision(one));
  },
);

clusterTest("state copy leaves a database alone that a server uses", async () => {
  await using cluster = await Cluster.make();
  await using folder = await temporaryFolder();
  const node = await cluster.start("one");
  const { code, stderr } = await runProgram([
    ...["state", "copy", cluster.url, join(folder.path, "copy.db")],
    ...["--state-password", cluster.postgres.password],
  ]);
  assertEquals(code, 1);
  assertMatch(stderr, /is used by one\. Stop all servers first/);
  assertMatch(await visit(node, "ann"), /^\+OK/);
});
