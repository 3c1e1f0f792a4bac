/** Logins of one address that waited for their turn listened to one abort signal, and each looked through all the others: 40 000 took 40 s. */

import { assertEquals } from "@std/assert";
import { LoginGuard } from "../../lib/auth/login_guard.ts";

Deno.test("logins that wait for their turn listen to no signal that others listen to", async () => {
  const bans = { banFailures: 20, banWindow: 600, banTime: 900, trustedNetworks: [] };
  const guard = new LoginGuard(() => ({ authDelay: 0, authDelayMax: 0, ...bans }));
  const { addEventListener } = AbortSignal.prototype;
  const listeners = new Map<unknown, number>();
  AbortSignal.prototype.addEventListener = function (this: AbortSignal): void {
    listeners.set(this, (listeners.get(this) ?? 0) + 1);
  };
  try {
    const open = Promise.withResolvers<void>();
    let checked = 0;
    const attempts = Array.from(
      { length: 100 },
      () =>
        guard.inTurn("192.0.2.7", new AbortController().signal, async () => {
          await open.promise;
          checked++;
          return { outcome: undefined, failed: false };
        }),
    );
    open.resolve();
    await Promise.all(attempts);
    assertEquals(checked, 100);
    assertEquals([...listeners.values()].filter((count) => count > 1), []);
  } finally {
    AbortSignal.prototype.addEventListener = addEventListener;
  }
});
