/** Reads packed events of a session worker, value by value: a worker that was taken over may have packed anything. */

import type { CloseReason, Observer, ServerEvent } from "../contracts/event.ts";
import { authorizationTable, transactionTable } from "../pop3/tables.ts";
import {
  ANSWERED,
  CONNECTED,
  DELETED,
  DISCONNECTED,
  LOGIN,
  OTHER,
  type PackedEvents,
  REFUSED,
  RETRIEVED,
  SENT,
} from "./packed_events.ts";
import {
  listOf,
  matching,
  number,
  oneOf,
  optional,
  type Reader,
  record,
  ShapeError,
  tagged,
  text,
  truth,
  whole,
} from "./value_readers.ts";

/** Octets that one list can have counted: no wire carries more while events wait. */
const OCTETS = whole(0, 2 ** 40);
/** Octets of a message or a maildrop: more than any file system holds. */
const STORED_OCTETS = whole(0, 2 ** 52);
const MESSAGES = whole(0, 2 ** 31);
const MILLISECONDS = number(0, 2 ** 40);
/** Milliseconds since 1970. */
const TIME = number(0, 8.64e15);
/** What comes from the network's own functions, or out of a PROXY header that was read. */
const ADDRESS = matching(/^[0-9A-Fa-f:.]+(?:%[\w.-]{1,15})?$/, 64);
const PORT = whole(0, 65_535);
const TLS_VERSION = matching(/^[\w. -]+$/, 32);
const USER = text(1024);
const MECHANISM = oneOf(
  "USER",
  "APOP",
  "PLAIN",
  "LOGIN",
  "SCRAM-SHA-256",
  "OAUTHBEARER",
  "XOAUTH2",
);
const COMMANDS: ReadonlySet<unknown> = new Set([
  ...authorizationTable.names,
  ...transactionTable.names,
  "?",
]);
/** Why a session ended. */
export const CLOSE_REASON: Reader<CloseReason> = oneOf<CloseReason>(
  "quit",
  "client-gone",
  "idle",
  "login-timeout",
  "not-reading",
  "bad-commands",
  "failed-logins",
  "kicked",
  "shutdown",
  "refused",
  "displaced",
  "lock-lost",
  "tls-failed",
  "error",
);
/** Lines of one event of a trace, and traces that it is for. */
const MOST_TRACED = 1000;
/** The events that go as they are. */
const other = tagged("type", {
  tls: record({
    type: oneOf("tls"),
    version: optional(TLS_VERSION),
    ok: truth,
    reason: optional(matching(/^[\w .()]*$/, 100)),
  }),
  traced: record({
    type: oneOf("traced"),
    targets: listOf(whole(1), MOST_TRACED),
    lines: listOf(text(512), MOST_TRACED),
  }),
});

/**
 * Tells an observer of packed events, one after the other.
 *
 * @throws {ShapeError} at the first that no session worker packs; those before it have been told
 */
export function unpackEvents(packed: PackedEvents, observe: Observer): void {
  for (let at = 0; at < packed.length;) {
    const session = packed[at];
    const count = packed[at + 1];
    if (typeof session !== "string" || typeof count !== "number") {
      throw new ShapeError("No session's name and number of values stand where they should");
    }
    at += 2;
    const end = at + count;
    if (!Number.isSafeInteger(count) || count < 0 || end > packed.length) {
      throw new ShapeError("A session has more values than there are");
    }
    while (at < end) {
      const kind = packed[at];
      const length = typeof kind === "number" ? LENGTHS.get(kind) : undefined;
      if (length === undefined || at + length > end) {
        throw new ShapeError("No event stands where one should");
      }
      observe(readEvent(packed, at, session));
      at += length;
    }
  }
}

/** How many values each kind of event has, its number included. */
const LENGTHS: ReadonlyMap<number, number> = new Map([
  [CONNECTED, 5],
  [ANSWERED, 3],
  [REFUSED, 3],
  [SENT, 2],
  [LOGIN, 7],
  [RETRIEVED, 2],
  [DELETED, 2],
  [DISCONNECTED, 3],
  [OTHER, 2],
]);

/** Each kind's values stand as `pack()` has put them. */
function readEvent(packed: PackedEvents, at: number, session: string): ServerEvent {
  switch (packed[at]) {
    case CONNECTED:
      return {
        type: "connected",
        session,
        at: TIME(packed[at + 1], "at"),
        address: ADDRESS(packed[at + 2], "address"),
        port: PORT(packed[at + 3], "port"),
        tls: packed[at + 4] === undefined ? undefined : TLS_VERSION(packed[at + 4], "tls"),
      };
    case ANSWERED:
    case REFUSED:
      return {
        type: "command",
        session,
        name: readCommand(packed[at + 1]),
        outcome: packed[at] === ANSWERED ? "ok" : "error",
        milliseconds: MILLISECONDS(packed[at + 2], "milliseconds"),
      };
    case SENT:
      return { type: "sent", session, octets: OCTETS(packed[at + 1], "octets") };
    case LOGIN:
      return {
        type: "login",
        session,
        at: TIME(packed[at + 1], "at"),
        user: USER(packed[at + 2], "user"),
        mechanism: MECHANISM(packed[at + 3], "mechanism"),
        messages: MESSAGES(packed[at + 4], "messages"),
        octets: STORED_OCTETS(packed[at + 5], "octets"),
        milliseconds: MILLISECONDS(packed[at + 6], "milliseconds"),
      };
    case RETRIEVED:
      return { type: "retrieved", session, octets: STORED_OCTETS(packed[at + 1], "octets") };
    case DELETED:
      return { type: "deleted", session, messages: MESSAGES(packed[at + 1], "messages") };
    case DISCONNECTED:
      return {
        type: "disconnected",
        session,
        at: TIME(packed[at + 1], "at"),
        reason: CLOSE_REASON(packed[at + 2], "reason"),
      };
    default:
      return readOther(packed[at + 1], session);
  }
}

function readCommand(value: unknown): string {
  if (COMMANDS.has(value)) return value as string;
  throw new ShapeError("name is no command's");
}

function readOther(event: unknown, session: string): ServerEvent {
  const read = other(event, "event");
  if (read.type === "traced") return { ...read, session };
  const { reason, ...rest } = read;
  return { ...rest, session, ...(reason !== undefined && { reason }) };
}
