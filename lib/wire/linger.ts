/** Listens on for a moment behind our last answer. */

import type { CloseReason } from "../contracts/event.ts";
import { LINGER_MS, LINGER_OCTETS } from "./limits.ts";
import type { StallGuard } from "./stall_guard.ts";

/**
 * Takes in what the client still says, for a moment: closing over unread octets would make TCP throw our last answer away.
 *
 * @param read reads once more
 * @throws {ConnectionLostError} when the client is gone
 */
export async function linger(
  read: () => Promise<number | null>,
  guard: StallGuard,
  reason: CloseReason,
): Promise<void> {
  // One moment for all of it: a client that drips would else keep its place for as long as it likes.
  const end = performance.now() + LINGER_MS;
  for (let taken = 0; taken < LINGER_OCTETS;) {
    const left = end - performance.now();
    if (left <= 0) return;
    const octets = await guard.watch(left, reason, read());
    if (octets === null) return;
    taken += octets;
  }
}
