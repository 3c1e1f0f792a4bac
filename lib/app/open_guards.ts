/** Makes the guards of users' and administrators' logins, with what they knew before, and what other servers know. */

import { systemClock } from "../async/clock.ts";
import type { KeptBans } from "../auth/guard/kept_bans.ts";
import { type GuardedLogins, LoginGuard } from "../auth/login_guard.ts";
import type { Settings } from "../contracts/settings.ts";
import type { Installation } from "../contracts/state_store.ts";
import type { Fleet } from "./fleet/fleet.ts";

/**
 * Makes them; bans that are kept are in force.
 *
 * @throws {StateStoreError} when the state cannot be read
 */
export async function openGuards(
  settings: () => Settings,
  bans: KeptBans,
  fleet: Fleet | undefined,
  installation: Installation,
): Promise<Readonly<Record<GuardedLogins, LoginGuard>>> {
  const failures = fleet?.failures;
  // Marks of several servers are alike only under one key.
  const key = fleet && await installation.secret();
  const guard = (logins: GuardedLogins): LoginGuard =>
    new LoginGuard(settings, logins, systemClock, {
      changed: bans.of(logins),
      ...failures && { counted: failures.of(logins) },
      ...key && { key },
    });
  const guards = { users: guard("users"), administrators: guard("administrators") };
  await bans.load(guards);
  if (failures !== undefined) {
    await failures.exchange("at the start", guards);
    fleet?.onNews((news) => void failures.exchange(news.failures, guards));
  }
  return guards;
}
