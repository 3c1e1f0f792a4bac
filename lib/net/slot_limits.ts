/** Every limit of connection slots, each with its reason. */

/** Milliseconds that a connection has for its login before it may have to give way (pop3.md, "Limits"). */
export const GIVE_WAY_MS = 3000;
/**
 * Connections without a login that may be open beyond the limit while they are not old enough to give way: so many for each one of the
 * limit, at least and at most. When there are more, the oldest give way sooner. One takes 8 KiB (docs/decisions/0104).
 */
const RESERVE = { each: 20, least: 1000, most: 20_000 } as const;
/** Connections of a thread that give way between two looks: those that connect again at once must not keep it busy. */
export const MOST_A_LOOK = 10;
/** Connections that wait, not greeted yet, until the server counts as crowded: from then on newcomers use the reserve. */
export const MOST_WAITING = 128;
/** For how long, in milliseconds, the server counts as crowded after one had to give way. */
export const CROWDED_MS = 10_000;
/** How often, in milliseconds, a thread looks whether somebody must give way, or may come in. */
export const LOOK_MS = 100;
/** Milliseconds by which a thread may be wrong about who came first, where more than so many must give way. */
export const SLACK_MS = 250;
export const MANY = 16;
/** Descriptors that are kept for mail and programs, once the system was seen to have no more. */
export const SPARE_DESCRIPTORS = 64;
/** How long, in milliseconds, a login waits for one of those who have logged in to end. */
export const LOGIN_WAIT_MS = 30_000;

/** Connections without a login that may be open beyond a limit. */
export function reserveFor(limit: number): number {
  return Math.max(RESERVE.least, Math.min(RESERVE.most, RESERVE.each * limit));
}
