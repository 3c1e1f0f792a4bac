/** What a session worker may say: a table with a reader for each message, so that one which was taken over can say nothing else. */

import type { Credentials, SessionIdentity } from "../contracts/login_service.ts";
import { SASL_LINE_OCTETS } from "../wire/limits.ts";
import type { Call, FromWorker, MainMethods } from "./messages.ts";
import type { PackedEvents } from "./packed_events.ts";
import type { ListenOptions } from "../net/endpoint.ts";
import {
  matching,
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
/** kill(2) takes 0, 1 and what is negative for other things than a process of ours. */
const PID = whole(2, 2 ** 31 - 1);
/** A line of an exchange, and what is joined of several. */
const LINE = text(SASL_LINE_OCTETS);
const LINES = text(4 * SASL_LINE_OCTETS);
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
  checkLease: call("checkLease", tuple(SESSION)),
  enterTurn: call("enterTurn", tuple()),
  endGroup: call("endGroup", tuple(PID)),
};

const where: Reader<ListenOptions> = (value, name) => {
  const { hostname, port, tls = false } = record({
    hostname: text(64),
    port: whole(0, 65_535),
    tls: optional(truth),
  })(value, name);
  return { hostname, port, tls };
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
  "group-started": record({ type: oneOf("group-started"), pid: PID }),
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
