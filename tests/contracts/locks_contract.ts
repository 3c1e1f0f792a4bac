/** What all locks must do; run on each implementation. */

import { assert, assertEquals } from "@std/assert";
import type { Lease } from "../../lib/contracts/login_service.ts";
import type { Locks } from "../../lib/contracts/locks.ts";

/** Whether a lease is lost: whoever asks is told at once then. */
function lost(lease: Lease | undefined): boolean {
  let told = false;
  lease?.onLost(() => told = true);
  return told;
}

/** Registers the contract's tests. */
export function locksContract(name: string, make: () => Locks): void {
  const one = { sessions: 1 };
  const test = (title: string, body: (locks: Locks) => Promise<void>): void =>
    Deno.test(`${name} ${title}`, () => body(make()));

  test("give a user to one session at a time", async (locks) => {
    const lease = await locks.take("ann", "s1", one);
    assert(lease);
    assertEquals(lost(lease), false);
    assertEquals(await locks.take("ann", "s2", one), undefined);
    assert(await locks.take("bob", "s2", one));
    await lease?.[Symbol.asyncDispose]();
    assert(await locks.take("ann", "s3", one));
  });

  test("take a second disposal of a lease for nothing", async (locks) => {
    const first = await locks.take("ann", "s1", one);
    await first?.[Symbol.asyncDispose]();
    assert(await locks.take("ann", "s2", one));
    await first?.[Symbol.asyncDispose]();
    assertEquals(await locks.take("ann", "s3", one), undefined);
    assertEquals(await locks.holders("ann"), 1);
  });

  test("share a user among as many sessions as may be", async (locks) => {
    const first = await locks.take("ann", "s1", { sessions: 2 });
    assert(await locks.take("ann", "s2", { sessions: 2 }));
    assertEquals(await locks.take("ann", "s3", { sessions: 2 }), undefined);
    assertEquals(await locks.take("ann", "s3", one), undefined);
    assertEquals(await locks.holders("ann"), 2);
    await first?.[Symbol.asyncDispose]();
    assertEquals(await locks.take("ann", "s3", one), undefined);
    assert(await locks.take("ann", "s3", { sessions: 2 }));
  });

  test("tell a session that its lease is lost, and keep it until the session lets go", async (locks) => {
    const lease = await locks.take("ann", "s1", one);
    let told = 0;
    lease?.onLost(() => told++);
    assertEquals(await locks.revoke("s1"), true);
    assertEquals(await locks.revoke("s1"), true);
    assertEquals(told, 1);
    assertEquals(lost(lease), true);
    assertEquals(await locks.take("ann", "s2", one), undefined);
    await lease?.[Symbol.asyncDispose]();
    assert(await locks.take("ann", "s2", one));
    assertEquals(await locks.revoke("s1"), false);
    assertEquals(await locks.revoke("nobody"), false);
  });

  test("come back from a session and from an owner that died", async (locks) => {
    const held = await locks.take("ann", "s1", { sessions: 1, owner: "worker 1" });
    const other = await locks.take("bob", "s2", { sessions: 1, owner: "worker 2" });
    await locks.take("cleo", "s3", { sessions: 1, owner: "worker 1" });
    await locks.releaseOwner("worker 1");
    assertEquals(lost(held), true);
    assertEquals(lost(other), false);
    assertEquals(await locks.holders("ann") + await locks.holders("cleo"), 0);
    assertEquals(await locks.holders("bob"), 1);
    await locks.releaseSession("s2");
    assertEquals(await locks.holders("bob"), 0);
    await locks.releaseSession("s2");
    await locks.releaseOwner("nobody");
    const again = await locks.take("ann", "s4", one);
    await held?.[Symbol.asyncDispose]();
    assertEquals(lost(again), false);
    assertEquals(await locks.holders("ann"), 1);
  });
}
