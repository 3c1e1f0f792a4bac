/** What every state store must do; run on each implementation. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Account, AccountStore } from "../../lib/contracts/account_store.ts";
import type { AccessStart } from "../../lib/contracts/record_store.ts";
import { ACCESS_DAYS, ACCESSES_PER_USER, HISTORY_MINUTES } from "../../lib/state/retention.ts";
import type { StateStore } from "../../lib/contracts/state_store.ts";
import type { ScramKeys } from "../../lib/contracts/user_source.ts";

/** Makes an empty store; `now` tells its time. */
export type MakeStateStore = (options: { readonly now: () => number }) => Promise<StateStore>;

const DAY = 24 * 60 * 60 * 1000;

/** What is known of the store. */
export interface ContractOptions {
  /** Whether several processes share it: time is its own then, and flags and old records are not one process's to forget. */
  readonly isShared?: boolean;
  /** Whether there is none to try. */
  readonly ignore?: boolean;
}

/** Registers the contract's tests. */
export function stateStoreContract(
  name: string,
  make: MakeStateStore,
  { isShared = false, ignore = false }: ContractOptions = {},
): void {
  const test = (title: string, body: (store: StateStore, clock: { now: number }) => unknown) =>
    Deno.test({
      name: `${name} ${title}`,
      ignore,
      fn: async () => {
        const clock = { now: Date.UTC(2026, 0, 31, 12) };
        await using store = await make({ now: () => clock.now });
        await body(store, clock);
      },
    });

  for (const kind of ["users", "administrators"] as const) {
    test(`adds, finds, updates and deletes ${kind}`, (store) => lifeOf(store[kind]));
    test(`refuses a change of ${kind} that was computed from an older revision`, async (store) => {
      const accounts = store[kind];
      assertEquals(await accounts.put(account("ann"), { revision: 7 }), "changed");
      await accounts.put(account("ann"), { revision: undefined });
      assertEquals(await accounts.put(account("ann"), { revision: undefined }), "changed");
      const first = await accounts.find("ann");
      assertEquals(await accounts.put(account("ann"), { revision: first?.revision }), "updated");
      assertEquals(await accounts.put(account("ann"), { revision: first?.revision }), "changed");
    });
  }

  test("keeps what an app password is good for, and its last use", async (store) => {
    const { users } = store;
    await users.put(account("ann"), { revision: undefined });
    const terms = {
      expires: 1_800_000_000_000,
      networks: ["192.0.2.0/24", "::1/128"],
      readOnly: true,
    };
    const added = {
      label: "pad",
      at: 5,
      ...terms,
      storedKey: new Uint8Array(32),
      serverKey: new Uint8Array(32),
    };
    const { revision } = (await users.find("ann"))!;
    assertEquals(await users.addAppPassword("ann", revision, added), "added");
    assertEquals((await users.find("ann"))?.appPasswords, [added]);
    assertEquals(await users.listAppPasswords("ann"), [{ label: "pad", at: 5, ...terms }]);
    await users.noteAppPasswordUse("ann", "pad", { at: 6, address: "192.0.2.7" });
    await users.noteAppPasswordUse("ann", "pad", { at: 7, address: "::1" });
    await users.noteAppPasswordUse("ann", "none", { at: 8, address: "::1" });
    assertEquals(await users.listAppPasswords("ann"), [
      { label: "pad", at: 5, ...terms, lastUse: { at: 7, address: "::1" } },
    ]);
    // A use changes no secret, and a label that comes again begins anew.
    const after = (await users.find("ann"))!;
    assertEquals(await users.deleteAppPassword("ann", "pad"), true);
    assertEquals(after.appPasswords.length, 1);
    const plain = {
      label: "pad",
      at: 9,
      storedKey: new Uint8Array(32),
      serverKey: new Uint8Array(32),
    };
    await users.addAppPassword("ann", (await users.find("ann"))!.revision, plain);
    assertEquals(await users.listAppPasswords("ann"), [{ label: "pad", at: 9 }]);
    await users.delete("ann");
    assertEquals(await users.listAppPasswords("ann"), []);
  });

  test("keeps hours until they are forgotten", async ({ counters }) => {
    for (const hour of [1, 2, 3]) {
      await counters.appendHour(hour, new Map([["a", hour], ["b", 0.5]]));
    }
    await counters.appendHour(2, new Map([["a", 20]]));
    assertEquals(await Array.fromAsync(counters.hours("a", 2)), [
      { hour: 2, value: 20 },
      { hour: 3, value: 3 },
    ]);
    await counters.forgetHoursBefore(3);
    assertEquals(await Array.fromAsync(counters.hours("a", 0)), [{ hour: 3, value: 3 }]);
    assertEquals(await Array.fromAsync(counters.hours("none", 0)), []);
  });

  test("keeps users and administrators apart", async (store) => {
    await store.users.put(account("ann"), { revision: undefined });
    assertEquals(await store.administrators.find("ann"), undefined);
    assertEquals(await store.administrators.count(), 0);
    assertEquals(await Array.fromAsync(store.administrators.list()), []);
  });

  test("never gives a revision twice, not even after a deletion", async (store) => {
    const seen = new Set<number | undefined>();
    for (let round = 0; round < 3; round++) {
      await store.users.put(account("ann"), { revision: undefined });
      seen.add((await store.users.find("ann"))?.revision);
      await store.users.delete("ann");
    }
    assertEquals(seen.size, 3);
  });

  test("refuses one user more than may be, and nothing that is there", async (store) => {
    await store.users.put(account("ann"), { revision: undefined, limit: 1 });
    assertEquals(await store.users.put(account("bob"), { revision: undefined, limit: 1 }), "limit");
    const ann = await store.users.find("ann");
    const outcome = await store.users.put(account("ann"), { revision: ann?.revision, limit: 0 });
    assertEquals(outcome, "updated");
  });

  test("keeps the last account when asked to", async (store) => {
    const { administrators } = store;
    await administrators.put(account("ann"), { revision: undefined });
    await administrators.put(account("bob"), { revision: undefined });
    assertEquals(await administrators.delete("ann", { keepLast: true }), "deleted");
    assertEquals(await administrators.delete("bob", { keepLast: true }), "last");
    assertEquals(await administrators.delete("cleo", { keepLast: true }), "absent");
    assertEquals(await administrators.delete("bob"), "deleted");
  });

  test("lists names in the order of their octets, across pages", async (store) => {
    const names = Array.from({ length: 1203 }, (_, index) => `u${index}`);
    names.push("Zoe", "zoe", "é", "\u{ffee}", "\u{1f600}", "a@example.org", "a");
    await store.users.putAll(names.map((name) => account(name)));
    const encoder = new TextEncoder();
    const key = (text: string) => String.fromCharCode(...encoder.encode(text));
    const sorted = names.toSorted((one, other) => key(one) < key(other) ? -1 : 1);
    assertEquals(await Array.fromAsync(store.users.list()), sorted);
    assertEquals(
      await Array.fromAsync(store.users.list({ after: sorted[700]! })),
      sorted.slice(701),
    );
    assertEquals(await store.users.count(), names.length);
  });

  test("writes many accounts at once and counts them", async (store) => {
    await store.users.put(account("ann"), { revision: undefined });
    const outcome = await store.users.putAll([account("ann"), account("bob"), account("cleo")]);
    assertEquals(outcome, { added: 2, updated: 1 });
    assertEquals(await store.users.count(), 3);
  });

  test("learns keys once, for the hash that they were learned for", async (store) => {
    const hash = { scheme: "SHA512-CRYPT", data: "$6$…" } as const;
    await store.users.put({ ...account("ann"), password: { kind: "foreign", hash } }, {
      revision: undefined,
    });
    assertEquals([...await store.users.foreignHashes()], [["ann", hash]]);
    assertEquals([...await store.administrators.foreignHashes()], []);
    const before = await store.users.find("ann");
    assertEquals(before?.password, { kind: "foreign", hash });
    assertEquals(await store.users.learn("ann", before!.revision + 1, keys(9)), false);
    assertEquals(await store.users.learn("ann", before!.revision, keys(9)), true);
    assertEquals(await store.users.learn("ann", before!.revision, keys(8)), false);
    const after = await store.users.find("ann");
    assertEquals(after?.password, { kind: "keys", keys: keys(9) });
    assertEquals(after?.revision, before?.revision);
    assertEquals([...await store.users.foreignHashes()], []);
  });

  test("keeps app passwords with their user, and a new revision for each change", appPasswords);

  test("remembers what flags say in place of what they said, with the accounts", async (store) => {
    const memory = { name: "ann", salt: octets(16, 1), iterations: 4096, storedKey: octets(32, 2) };
    assertEquals(await store.users.flags(), []);
    await store.users.applyFlags([memory], [account("ann")]);
    assertEquals(await store.users.flags(), [memory]);
    assertEquals(await store.administrators.flags(), []);
    const bob = { ...memory, name: "bob", iterations: 5000 };
    await store.users.applyFlags([bob], []);
    assertEquals(await store.users.flags(), isShared ? [memory, bob] : [bob]);
    assert(await store.users.find("ann"));
  });

  test("keeps learned keys by name", async (store) => {
    const learned = { name: "ann", fingerprint: "ff", salt: octets(16, 1), iterations: 4096 };
    await store.learned.put({ ...learned, ...keys(1) });
    await store.learned.put({ ...learned, ...keys(2), fingerprint: "ee" });
    const all = await Array.fromAsync(store.learned.list());
    assertEquals(all, [{ ...learned, ...keys(2), fingerprint: "ee" }]);
  });

  test("keeps what is known of users, whether they have accounts or not", async (store) => {
    assertEquals([...await store.fields.find("ann")], []);
    await store.fields.set("ann", "home", "/a");
    await store.fields.set("ann", "home", "/b");
    await store.fields.set("ann", "disabled", "yes");
    await store.fields.set("bob", "quota", "1G");
    const sorted = async (name: string): Promise<[string, string][]> =>
      [...await store.fields.find(name)].sort();
    assertEquals(await sorted("ann"), [["disabled", "yes"], ["home", "/b"]]);
    await store.fields.set("ann", "disabled", undefined);
    assertEquals(await sorted("ann"), [["home", "/b"]]);
    await store.fields.forget("ann");
    assertEquals([await sorted("ann"), await sorted("bob")], [[], [["quota", "1G"]]]);
  });

  test("keeps settings", async (store) => {
    await store.settings.set("timeout", "600");
    await store.settings.set("timeout", "700");
    await store.settings.set("maildir", "./m");
    assertEquals([...await store.settings.all()].sort(), [["maildir", "./m"], ["timeout", "700"]]);
    assertEquals(await store.settings.delete("timeout"), true);
    assertEquals(await store.settings.delete("timeout"), false);
  });

  test("keeps one secret and never gives a session number twice", async (store) => {
    const secret = await store.installation.secret();
    assertEquals(secret.length, 32);
    assertEquals(await store.installation.secret(), secret);
    const first = await store.installation.reserveSessions(10);
    assertEquals(await store.installation.reserveSessions(1), first + 10);
    assertEquals(await store.installation.reserveSessions(1), first + 11);
    assertEquals(await store.installation.mailFolders(), new Set());
    for (const path of ["/srv/mail", "/srv/mail", "/é %_'"]) {
      await store.installation.keepMailFolder(path);
    }
    assertEquals(await store.installation.mailFolders(), new Set(["/srv/mail", "/é %_'"]));
    assertEquals(await store.installation.runningTime(), undefined);
    for (const running of [1, 86_400_000.25]) {
      const kept = { id: "0123456789abcdef", running, wall: 1_700_000_000_000 };
      await store.installation.keepRunningTime(kept);
      assertEquals(await store.installation.runningTime(), kept);
    }
  });

  test("shows accesses at once, newest last, open and ended", accesses);

  if (!isShared) {
    test("forgets accesses that are too many", async (store, clock) => {
      for (let n = 0; n < ACCESSES_PER_USER + 5; n++) {
        store.accesses.opened(start(`s${n}`, clock.now));
      }
      store.accesses.opened({ ...start("other", clock.now), user: "bob" });
      assertEquals(await store.accesses.count("ann"), ACCESSES_PER_USER);
      assertEquals(await store.accesses.count("bob"), 1);
      const [oldest] = await store.accesses.list("ann", ACCESSES_PER_USER + 5);
      assertEquals(oldest?.session, "s5");
    });
  }

  if (!isShared) {
    test(
      "forgets accesses by the days that the server has run, whatever the clock says",
      async (store, clock) => {
        const noon = clock.now;
        const { accesses } = store;
        await accesses.forgetOld(0);
        for (let n = 0; n < 2500; n++) accesses.opened(start(`first${n}`, noon));
        // Somebody mistypes the year, and mends it later.
        for (const at of [noon + 365 * DAY, 0, noon + DAY]) {
          clock.now = at;
          accesses.opened(start(`at ${at}`, at));
          assertEquals(await accesses.count("ann") > 2500, true);
        }
        for (let day = 1; day <= ACCESS_DAYS; day++) {
          await accesses.forgetOld(day);
          accesses.opened(start(`day${day}`, noon));
        }
        assertEquals(await accesses.count("ann"), 2503 + ACCESS_DAYS);
        await accesses.forgetOld(ACCESS_DAYS + 1);
        assertEquals(await accesses.count("ann"), ACCESS_DAYS);
        await accesses.forgetOld(ACCESS_DAYS + 1);
        assertEquals(await accesses.count("ann"), ACCESS_DAYS);
        await accesses.forgetOld(ACCESS_DAYS + 3);
        assertEquals((await accesses.list("ann", 1000))[0]?.session, "day3");
      },
    );
  }

  test("keeps totals, and a week of minutes", async (store) => {
    await store.counters.add(new Map([["pop3.logins", 3], ['a{b="c"}', 1.5]]));
    await store.counters.add(new Map([["pop3.logins", 1]]), new Map([["peak", 7]]));
    await store.counters.add(new Map(), new Map([["peak", 5]]));
    await store.counters.add(new Map());
    const totals = [...await store.counters.totals()].sort();
    assertEquals(totals, [['a{b="c"}', 1.5], ["peak", 7], ["pop3.logins", 4]]);
    const minute = 29_000_000;
    await store.counters.append(minute, new Map([["pop3.logins", 1], ["other", 5]]));
    await store.counters.append(minute + 1, new Map([["pop3.logins", 2]]));
    await store.counters.append(minute + 1, new Map([["pop3.logins", 3]]));
    const all = () => Array.fromAsync(store.counters.history("pop3.logins", 0));
    assertEquals(await all(), [{ minute, value: 1 }, { minute: minute + 1, value: 3 }]);
    const late = await Array.fromAsync(store.counters.history("pop3.logins", minute + 1));
    assertEquals(late, [{ minute: minute + 1, value: 3 }]);
    assertEquals(await Array.fromAsync(store.counters.history("nobody", 0)), []);
    await store.counters.append(minute + HISTORY_MINUTES, new Map([["pop3.logins", 9]]));
    assertEquals((await all()).map((row) => row.value), [1, 3, 9]);
    await store.counters.forgetBefore(minute + 1);
    assertEquals((await all()).map((row) => row.value), [3, 9]);
    assertEquals(await Array.fromAsync(store.counters.history("other", 0)), []);
  });

  test("keeps bans until they end, or are ended", attempts);

  test(
    "keeps when users last logged in, for as long as that is asked for",
    async (store, clock) => {
      const { attempts } = store;
      assertEquals(await attempts.lastLogin("ann"), undefined);
      await attempts.loggedIn("ann", 60_000);
      await attempts.loggedIn("bob", 60_000);
      clock.now += 50_000;
      await attempts.loggedIn("bob", 60_000);
      // Time may go on between the two questions.
      const bob = await attempts.lastLogin("bob");
      const ago = await attempts.lastLogin("ann");
      assert(ago !== undefined && ago >= 0 && ago <= 50_000, `${ago}`);
      assert((bob ?? Infinity) <= (ago ?? 0));
    },
  );

  test("moves minutes that were counted under a wrong clock", async (store) => {
    for (const minute of [10, 11, 20, 21, 22]) {
      await store.counters.append(minute, new Map([["a", minute], ["b", -minute]]));
    }
    const rows = async (name: string) =>
      (await Array.fromAsync(store.counters.history(name, 0)))
        .map(({ minute, value }) => [minute, value]);
    await store.counters.move({ from: 20, to: 22 }, -9);
    assertEquals(await rows("a"), [[10, 10], [11, 20], [12, 21], [13, 22]]);
    // By less than there are.
    await store.counters.move({ from: 11, to: 13 }, 1);
    assertEquals(await rows("a"), [[10, 10], [12, 20], [13, 21], [14, 22]]);
    await store.counters.move({ from: 12, to: 14 }, -1);
    assertEquals(await rows("b"), [[10, -10], [11, -20], [12, -21], [13, -22]]);
  });
}

async function lifeOf(accounts: AccountStore): Promise<void> {
  assertEquals(await accounts.find("ann"), undefined);
  assertEquals(await accounts.count(), 0);
  assertEquals(await accounts.put(account("ann", 1), { revision: undefined }), "added");
  const added = await accounts.find("ann");
  assertEquals({ ...added, revision: 0 }, { ...account("ann", 1), revision: 0, appPasswords: [] });
  const changed = { ...account("ann", 2), origin: "msmp", at: 99 } as const;
  assertEquals(await accounts.put(changed, { revision: added?.revision }), "updated");
  const updated = await accounts.find("ann");
  assertNotEquals(updated?.revision, added?.revision);
  assertEquals(updated?.password, { kind: "keys", keys: keys(2) });
  assertEquals(updated?.origin, added?.origin);
  assertEquals(updated?.at, added?.at);
  assertEquals(await accounts.find("Ann"), undefined);
  assertEquals(await accounts.find("an"), undefined);
  assertEquals(await accounts.delete("ann"), "deleted");
  assertEquals(await accounts.delete("ann"), "absent");
  assertEquals(await accounts.count(), 0);
}

async function appPasswords({ users }: StateStore): Promise<void> {
  const phone = { label: "phone", at: 5, ...keys(3) };
  assertEquals(await users.addAppPassword("ann", 1, phone), "changed");
  await users.put(account("ann"), { revision: undefined });
  const revision = async (): Promise<number> => (await users.find("ann"))!.revision;
  const first = await revision();
  assertEquals(await users.addAppPassword("ann", first, phone), "added");
  const second = await revision();
  assert(second > first);
  assertEquals(await users.addAppPassword("ann", first, { ...phone, label: "pad" }), "changed");
  assertEquals(await users.addAppPassword("ann", second, phone), "exists");
  assertEquals(await users.addAppPassword("ann", second, { ...phone, label: "pad" }), "added");
  assertEquals((await users.find("ann"))?.appPasswords.length, 2);
  await users.put(account("ann", 7), { revision: await revision() });
  const labels = [{ label: "pad", at: 5 }, { label: "phone", at: 5 }];
  assertEquals(await users.listAppPasswords("ann"), labels);
  const before = await revision();
  assertEquals(await users.deleteAppPassword("ann", "pad"), true);
  assertEquals(await users.deleteAppPassword("ann", "pad"), false);
  assert(await revision() > before);
  assertEquals((await users.find("ann"))?.appPasswords, [phone]);
  await users.delete("ann");
  await users.put(account("ann"), { revision: undefined });
  assertEquals(await users.listAppPasswords("ann"), []);
  assertEquals((await users.find("ann"))?.appPasswords, []);
}

async function attempts({ attempts }: StateStore): Promise<void> {
  const lasting = { age: 1000, left: 600_000, failures: 20 };
  const [one, other] = [
    { kind: "users:address", target: "192.0.2.7" },
    { kind: "users:ordered-user", target: "ann" },
  ];
  assertEquals(await attempts.bans(), []);
  await attempts.change([
    { ...one, ban: lasting },
    { ...other, ban: { age: 0, left: 600_000, failures: 0 } },
    { ...other, target: "over", ban: { age: 5, left: 0, failures: 0 } },
    { ...other, target: "lifted", ban: lasting },
    { ...other, target: "lifted", ban: undefined },
  ]);
  const bans = await attempts.bans();
  assertEquals(bans.map(({ kind, target, failures }) => ({ kind, target, failures })), [
    { ...one, failures: 20 },
    { ...other, failures: 0 },
  ]);
  for (const { age, left } of bans) {
    assert(age >= 0 && age <= 60_000 && left > 500_000 && left <= 600_000, `${age} ${left}`);
  }
  await attempts.change([{ ...one, ban: { ...lasting, failures: 21 } }]);
  assertEquals((await attempts.bans()).map(({ failures }) => failures), [21, 0]);
  await attempts.change([{ ...one, ban: undefined }, { kind: "x", target: "y", ban: undefined }]);
  assertEquals((await attempts.bans()).map(({ target }) => target), ["ann"]);
}

async function accesses({ accesses }: StateStore, clock: { now: number }): Promise<void> {
  const end = { ended: clock.now + 9, messages: 2, octets: 512, deleted: 1, ending: "quit" };
  accesses.opened(start("s1", clock.now));
  assertEquals(await accesses.list("ann", 10), [{ ...start("s1", clock.now), end: undefined }]);
  accesses.opened({ ...start("s2", clock.now + 1), tls: "TLSv1.3" });
  accesses.completed("s2", end);
  accesses.completed("s1", end);
  accesses.completed("nobody's", end);
  const records = [
    { ...start("s1", clock.now), end },
    { ...start("s2", clock.now + 1), tls: "TLSv1.3", end },
  ];
  assertEquals(await accesses.list("ann", 10), records);
  assertEquals(await accesses.list("ann", 1), records.slice(1));
  assertEquals(await accesses.count("ann"), 2);
  assertEquals(await accesses.count("bob"), 0);
  assertEquals(await accesses.list("bob", 10), []);
}

/** An account whose keys are filled with one octet. */
export function account(name: string, filling = 1): Account {
  const password = { kind: "keys", keys: keys(filling) } as const;
  return { name, origin: "command", at: 42, salt: octets(16, filling), iterations: 4096, password };
}

function keys(filling: number): ScramKeys {
  return { storedKey: octets(32, filling), serverKey: octets(32, filling + 100) };
}

function octets(length: number, filling: number): Uint8Array {
  return new Uint8Array(length).fill(filling);
}

function start(session: string, at: number): AccessStart {
  return { session, at, user: "ann", address: "192.0.2.7", tls: undefined, mechanism: "PLAIN" };
}
