/** What clients are told that are not served, or not any more. */

import type { SessionIdentity } from "../contracts/login_service.ts";
import { tryLater } from "../wire/first_line.ts";
import type { Reply } from "../wire/reply.ts";

/** An answer that ends a connection. */
export type Refusal = Extract<Reply, { kind: "error" }>;

/** To an address that failed to log in too often. */
export const BANNED: Refusal = {
  kind: "error",
  code: "AUTH",
  text: "Too many failed logins, try again later",
  effect: "close",
  reason: "refused",
};

/** To an address that has all the connections it may have (`max_connections_per_ip`). */
export const TOO_MANY_FROM_ADDRESS: Refusal = {
  kind: "error",
  code: "SYS/TEMP",
  text: "Too many connections from your address",
  effect: "close",
  reason: "refused",
};

/** To a client that is to try again: with the session's name, which the log's line of what is wrong has, too. */
export function tellLater(what: string, { session }: SessionIdentity): Refusal {
  return { kind: "error", code: "SYS/TEMP", text: tryLater(what, session) };
}

/** To a client that gives way to another one, since it has not logged in (`max_connections`). */
export const DISPLACED: Refusal = {
  kind: "error",
  code: "SYS/TEMP",
  text: "Too many connections, and this one has not logged in; try again later",
};

/** To a client whose login finds that all of `max_connections` have logged in. */
export const TOO_MANY_SESSIONS: Refusal = {
  kind: "error",
  code: "SYS/TEMP",
  text: "Too many sessions, try again later",
  effect: "close",
  reason: "refused",
};
