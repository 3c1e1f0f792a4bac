/** What a session worker may say: a table with a reader for each message, so that one which was taken over can say nothing else. */

import type { Credentials, SessionIdentity } from "../contracts/login_service.ts";
import type { MessageFile } from "../contracts/mail_store.ts";
import { MOST_REQUEST_OCTETS } from "../mail/held/held_mailbox.ts";
import { isRingMemory } from "../transform/output_ring.ts";
import { SASL_LINE_OCTETS } from "../wire/limits.ts";
import type { Call, FromWorker, MainMethods } from "./messages.ts";
import type { PackedEvents } from "./packed_events.ts";
import { CLOSE_REASON } from "./unpack_events.ts";
import type { ListenOptions } from "../net/endpoint.ts";
import {
  matching,
  number,
  octets,
  oneOf,
  optional,
  type Reader,
  record,
  ShapeError,
  tagged,
  text,
  truth,
  tuple,
  whole,
} from "./value_readers.ts";
import { readLogLine } from "./worker_log.ts";

/** Values in one list of events: hundreds of thousands of events. */
const MOST_VALUES = 1 << 20;

const CALL = whole(1);
/** A line of an exchange, and what is joined of several. */
const LINE = text(SASL_LINE_OCTETS);
const LINES = text(4 * SASL_LINE_OCTETS);
/** RFC 1939, section 7. */
const UID = matching(/^[\x21-\x7e]+$/, 70);
const SESSION = matching(/^[0-9a-z]+-[0-9a-z]+$/, 32);

const identity: Reader<SessionIdentity> = record({
  session: SESSION,
  address: text(64),
  tls: optional(matching(/^[\w. -]+$/, 32)),
});

const credentials: Reader<Credentials> = tagged("kind", {
  password: record({
    kind: oneOf("password"),
    mechanism: oneOf("USER", "PLAIN", "LOGIN"),
    user: LINE,
    password: LINE,
  }),
  apop: record({
    kind: oneOf("apop"),
    mechanism: oneOf("APOP"),
    user: LINE,
    timestamp: LINE,
    digest: LINE,
  }),
  scram: record({
    kind: oneOf("scram"),
    mechanism: oneOf("SCRAM-SHA-256"),
    user: LINE,
    authMessage: LINES,
    proof: octets(SASL_LINE_OCTETS),
  }),
  bearer: record({
    kind: oneOf("bearer"),
    mechanism: oneOf("OAUTHBEARER", "XOAUTH2"),
    user: optional(LINE),
    token: LINE,
  }),
});

/** The values of a list are read by unpack_events.ts, one by one. */
const events: Reader<PackedEvents> = (value, name) => {
  if (Array.isArray(value) && value.length <= MOST_VALUES) return value;
  throw new ShapeError(`${name} is no list of at most ${MOST_VALUES} values`);
};

/** The method and its arguments fit each other, which the compiler does not see through a type parameter. */
function call<M extends keyof MainMethods>(
  method: M,
  args: Reader<Parameters<MainMethods[M]>>,
): Reader<Call<M>> {
  return record({
    type: oneOf("call"),
    call: CALL,
    method: oneOf(method),
    args,
    events,
  }) as unknown as Reader<Call<M>>;
}

const calls: { readonly [M in keyof MainMethods]: Reader<Call<M>> } = {
  admit: call("admit", tuple(identity)),
  scramParameters: call("scramParameters", tuple(LINE)),
  login: call("login", tuple(identity, credentials)),
  claimLease: call("claimLease", tuple(SESSION)),
  releaseLease: call("releaseLease", tuple(SESSION, CLOSE_REASON)),
  enterTurn: call("enterTurn", tuple(SESSION)),
  openMailThread: call("openMailThread", tuple()),
  isRemote: call("isRemote", tuple(number(0, 2 ** 64))),
  holdFolders: call("holdFolders", tuple(octets(MOST_REQUEST_OCTETS), optional(text(4096)))),
};

const where: Reader<ListenOptions> = (value, name) => {
  const { hostname, port, tls = false } = record({
    hostname: text(64),
    port: whole(0, 65_535),
    tls: optional(truth),
  })(value, name);
  return { hostname, port, tls };
};

/** Device and inode may be beyond what numbers count exactly. */
const file: Reader<MessageFile> = record({
  path: text(8192),
  device: number(0, 2 ** 64),
  inode: number(0, 2 ** 64),
  size: whole(0),
});

const ring: Reader<SharedArrayBuffer> = (value, name) => {
  if (isRingMemory(value)) return value;
  throw new ShapeError(`${name} is no memory for output`);
};

const messages: {
  readonly [T in FromWorker["type"]]: Reader<Extract<FromWorker, { readonly type: T }>>;
} = {
  listening: record({ type: oneOf("listening") }),
  failed: record({
    type: oneOf("failed"),
    name: text(128),
    message: text(4096),
    where: optional(where),
  }),
  call: tagged("method", calls),
  cancel: record({ type: oneOf("cancel"), call: CALL }),
  events: record({ type: oneOf("events"), events, release: optional(SESSION) }),
  told: record({ type: oneOf("told") }),
  "leave-turn": record({ type: oneOf("leave-turn"), turn: CALL }),
  "start-run": record({
    type: oneOf("start-run"),
    start: record({ turn: CALL, uid: UID, file, ring }),
  }),
  "end-run": record({ type: oneOf("end-run"), turn: CALL, cancelled: truth }),
  log: record({ type: oneOf("log"), line: readLogLine }),
  died: record({ type: oneOf("died"), message: text(4096), stack: optional(text(16_384)) }),
  retired: record({ type: oneOf("retired") }),
  drained: record({ type: oneOf("drained") }),
};

const message = tagged("type", messages);

/**
 * Reads a message of a session worker.
 *
 * @throws {ShapeError} when no session worker sends such a one
 */
export function readWorkerMessage(value: unknown): FromWorker {
  return message(value, "");
}
