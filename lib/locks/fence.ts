/** The fence of a user's mail: nothing is removed unless the user's lock was made sure of a moment ago. */

import { type Clock, systemClock } from "../async/clock.ts";
import type { Lease } from "../contracts/login_service.ts";
import type { MayRemove } from "../contracts/mail_store.ts";

/** Milliseconds of a claim after which the next is made, where work takes longer. */
const RENEW_AFTER = 3000;

/**
 * Makes sure of a lock.
 *
 * @returns what tells before each message whether it may be removed still: no claim is older than it may be, neither by a clock that
 * stands still with the machine nor by one that does not; undefined when the lock is lost
 * @throws {Error} when it cannot be found out whether it is held
 */
export async function raiseFence(
  lease: Pick<Lease, "claim">,
  clock: Clock = systemClock,
): Promise<MayRemove | undefined> {
  const claim = async (): Promise<Claim> => {
    // Before it is asked: what the answer took is gone.
    const [begun, wall] = [clock.monotonic(), clock.wall()];
    return { begun, wall, held: await lease.claim() };
  };
  let last = await claim();
  if (last.held === Infinity) return () => true;
  if (!holds(last, clock)) return undefined;
  let renewing = false;
  let isLost = false;
  const renew = async (): Promise<void> => {
    renewing = true;
    try {
      last = await claim();
      isLost = last.held === 0;
    } catch {
      // Then the last claim runs out.
    } finally {
      renewing = false;
    }
  };
  return () => {
    if (isLost || !holds(last, clock)) return false;
    if (!renewing && clock.monotonic() - last.begun >= RENEW_AFTER) void renew();
    return true;
  };
}

interface Claim {
  readonly begun: number;
  readonly wall: number;
  readonly held: number;
}

function holds({ begun, wall, held }: Claim, clock: Clock): boolean {
  return clock.monotonic() - begun < held && clock.wall() - wall < held;
}
