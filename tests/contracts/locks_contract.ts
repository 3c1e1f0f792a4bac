/** What all locks must do; run on each implementation. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Lease } from "../../lib/contracts/login_service.ts";
import type { Locks } from "../../lib/contracts/locks.ts";

/** Longer than any test waits. */
const LONG = 600_000;

async function release(lease: Lease | undefined): Promise<void> {
  await lease?.[Symbol.asyncDispose]();
}

/** Locks to try, and how to let go of where they are. */
export interface LocksHarness extends AsyncDisposable {
  readonly locks: Locks;
}

/** Registers the contract's tests. */
export function locksContract(
  name: string,
  make: () => Promise<LocksHarness>,
  { ignore = false }: { readonly ignore?: boolean } = {},
): void {
  const one = { sessions: 1 };
  const test = (title: string, body: (locks: Locks) => Promise<void>): void =>
    Deno.test({
      name: `${name} ${title}`,
      ignore,
      fn: async () => {
        await using harness = await make();
        await body(harness.locks);
      },
    });

  test("give a user to one session at a time", async (locks) => {
    const lease = await locks.take("ann", "s1", one);
    assert(await lease!.claim() > 0);
    assertEquals(await locks.take("ann", "s2", one), undefined);
    assert(await locks.take("bob", "s2", one));
    await release(lease);
    assert(await locks.take("ann", "s3", one));
  });

  test("take a second disposal of a lease for nothing", async (locks) => {
    const first = await locks.take("ann", "s1", one);
    await release(first);
    assert(await locks.take("ann", "s2", one));
    await release(first);
    assertEquals(await locks.take("ann", "s3", one), undefined);
    assertEquals(await locks.holders("ann"), 1);
  });

  test("share a user among as many sessions as may be", async (locks) => {
    const first = await locks.take("ann", "s1", { sessions: 2 });
    assert(await locks.take("ann", "s2", { sessions: 2 }));
    assertEquals(await locks.take("ann", "s3", { sessions: 2 }), undefined);
    assertEquals(await locks.take("ann", "s3", one), undefined);
    assertEquals(await locks.holders("ann"), 2);
    await release(first);
    // Locks of several machines go by places: with fewer than before, a place is free, or is not.
    if (!locks.isShared) assertEquals(await locks.take("ann", "s3", one), undefined);
    assert(await locks.take("ann", "s3", { sessions: 2 }));
  });

  test("say of a lease that was given back that it is not held", async (locks) => {
    const lease = await locks.take("ann", "s1", one);
    await release(lease);
    assertEquals(await lease?.claim(), 0);
    assert(await locks.take("ann", "s2", one));
    assertEquals(await lease?.claim(), 0);
  });

  test("wait for a holder to let go, first come, first served", async (locks) => {
    const holder = await locks.take("ann", "s1", one);
    const order: string[] = [];
    const waiting = ["s2", "s3"].map(async (session) => {
      const lease = await locks.take("ann", session, { sessions: 1, wait: LONG });
      order.push(session);
      await release(lease);
      return lease !== undefined;
    });
    await release(holder);
    assertEquals(await Promise.all(waiting), [true, true]);
    assertEquals(order, ["s2", "s3"]);
    assertEquals(await locks.holders("ann"), 0);
  });

  test("wait no longer than they are told, and leave nothing behind", async (locks) => {
    const holder = await locks.take("ann", "s1", one);
    assertEquals(await locks.take("ann", "s2", { sessions: 1, wait: 5 }), undefined);
    await release(holder);
    assertEquals(await locks.holders("ann"), 0);
    assert(await locks.take("ann", "s3", one));
  });

  test("end the waiting of who wants the lock no more", async (locks) => {
    const holder = await locks.take("ann", "s1", one);
    const leaving = new AbortController();
    const waiting = locks.take("ann", "s2", { sessions: 1, wait: LONG, signal: leaving.signal });
    leaving.abort();
    await assertRejects(() => waiting, DOMException);
    await release(holder);
    assertEquals(await locks.holders("ann"), 0);
    await assertRejects(() => locks.take("ann", "s2", { sessions: 1, signal: leaving.signal }));
    assertEquals(await locks.holders("ann"), 0);
  });
}
