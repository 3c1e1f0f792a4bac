/** How much every state store keeps of what happened (operations.md, "Watching it"). */

/** Days for which the access log keeps a record. */
export const ACCESS_DAYS = 90;
/** Records kept per user; the oldest go first. */
export const ACCESSES_PER_USER = 10_000;
/** Minutes of history kept: a week. */
export const HISTORY_MINUTES = 7 * 24 * 60;
/** Hours of history kept: two years. */
export const HISTORY_HOURS = 2 * 366 * 24;
