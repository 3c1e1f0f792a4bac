// The sweep for expired mail: all users but those who are here, again when asked, and never when nothing expires.
import { assertEquals } from "@std/assert";
import type { MailStore } from "../../lib/contracts/mail_store.ts";
import { ExpirySweep } from "../../lib/app/expiry_sweep.ts";
import { MemoryLocks } from "../../lib/locks/memory_locks.ts";

interface Fixture {
  readonly sweep: ExpirySweep;
  readonly locks: MemoryLocks;
  readonly swept: string[];
  readonly tidied: string[];
  days: number;
}

function fixture(expire: (user: string) => Promise<number> = () => Promise.resolve(1)): Fixture {
  const locks = new MemoryLocks();
  const swept: string[] = [];
  const tidied: string[] = [];
  const store = {
    expire: async (user: string): Promise<number> => {
      assertEquals(await locks.holders(user), 1);
      swept.push(user);
      return await expire(user);
    },
    removeAbandoned: (user: string): Promise<number> => {
      tidied.push(user);
      return Promise.resolve(1);
    },
  } as unknown as MailStore;
  const made: Fixture = {
    locks,
    swept,
    tidied,
    days: 30,
    sweep: new ExpirySweep({
      record: () => Promise.resolve(undefined),
      trash: () => Promise.resolve(),
      users: async function* (): AsyncGenerator<string> {
        yield* ["ann", "bob", "carol"];
      },
      locks,
      store: () => store,
      days: () => made.days,
    }),
  };
  return made;
}

Deno.test("a sweep goes through all users under their locks, and leaves out those who are here", async () => {
  const { sweep, locks, swept } = fixture();
  await using _ended = sweep;
  const lease = await locks.take("bob", "w1-1", { sessions: 1 });
  await sweep.sweep();
  assertEquals(swept, ["ann", "carol"]);
  await lease![Symbol.asyncDispose]();
  await sweep.sweep();
  assertEquals(swept, ["ann", "carol", "ann", "bob", "carol"]);
  for (const user of ["ann", "bob", "carol"]) assertEquals(await locks.holders(user), 0);
});

Deno.test("a sweep expires nothing where nothing expires, but tidies up; one bad mailbox does not stop it", async () => {
  const all = fixture((user) =>
    user === "ann" ? Promise.reject(new Error("disk")) : Promise.resolve(0)
  );
  await using sweep = all.sweep;
  all.days = 0;
  await sweep.sweep();
  assertEquals([all.swept, all.tidied], [[], ["ann", "bob", "carol"]]);
  all.days = 1;
  await sweep.sweep();
  assertEquals(all.swept, ["ann", "bob", "carol"]);
  assertEquals(await all.locks.holders("ann"), 0);
});

Deno.test("a sweep that is asked for while one is under way follows it", async () => {
  const { sweep, swept } = fixture();
  await using _ended = sweep;
  await Promise.all([sweep.sweep(), sweep.sweep(), sweep.sweep()]);
  assertEquals(swept.length, 6);
});
