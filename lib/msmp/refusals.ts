/** What management clients are told that are not served, or not any more. */

import type { Reply } from "../wire/reply.ts";

type Refusal = Extract<Reply, { kind: "error" }>;

/** To an address that failed to log in too often. */
export const BANNED: Refusal = {
  kind: "error",
  text: "Too many failed logins, try again later",
  effect: "close",
  reason: "refused",
};

/** To an address that has all the connections it may have. */
export const TOO_MANY_FROM_ADDRESS: Refusal = {
  kind: "error",
  text: "Too many connections from your address",
  effect: "close",
  reason: "refused",
};

/** To a client that gives way to another one, since it has not logged in. */
export const DISPLACED: Refusal = {
  kind: "error",
  text: "Too many connections, and this one has not logged in; try again later",
};

/** To an administrator who finds that others have all the connections. */
export const TOO_MANY_ADMINISTRATORS: Refusal = {
  kind: "error",
  text: "Too many administrators are connected, try again later",
  effect: "close",
  reason: "refused",
};
