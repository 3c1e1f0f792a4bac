/** What a worker that was taken over may say: everything here is wrong, each in its own way. */

import { ringMemory } from "../../lib/transform/output_ring.ts";
import { CONNECTED, DISCONNECTED, LOGIN, OTHER, SENT } from "../../lib/workers/packed_events.ts";

/** What a liar knows. */
export interface Facts {
  /** A session of its own in which ann is logged in, and one in which nobody is. */
  readonly own: string;
  readonly fresh: string;
  /** The client's address of both. */
  readonly address: string;
  /** The session of another worker, in which bob is logged in. */
  readonly others: string;
  /** A name that its next session would have. */
  readonly next: string;
  /** A process of the machine that is none of its transformers. */
  readonly pid: number;
}

/** A lie: messages, of which the last cannot be said. */
export type Lie = (facts: Facts) => readonly unknown[];

const at = Date.now();

function events(...values: readonly unknown[]): unknown {
  return { type: "events", events: values, release: undefined };
}

function call(method: string, ...args: readonly unknown[]): unknown {
  return { type: "call", call: 1000, method, args, events: [] };
}

function guess(session: string, address: string, user = "bob"): unknown {
  const credentials = { kind: "password", mechanism: "USER", user, password: "guessed" };
  return call("login", { session, address, tls: undefined }, credentials);
}

const MAIL = { path: "/var/mail/ann/new/1", device: 1, inode: 1, size: 1 };

/** A program in the turn that call() has asked for. */
function run(fields: object): unknown {
  return {
    type: "start-run",
    start: { turn: 1000, uid: "1", file: MAIL, ring: ringMemory(), ...fields },
  };
}

/** By what they try. */
export const LIES: Readonly<Record<string, Lie>> = {
  // What is no message at all.
  "undefined": () => [undefined],
  "null": () => [null],
  "a number": () => [Number.NaN],
  "a text": () => ["drained"],
  "a list": () => [["type", "drained"]],
  "a map": () => [new Map([["type", "told"]])],
  "an empty object": () => [{}],
  "a type that is none": () => [{ type: "shutdown" }],
  "a type of the prototype": () => [{ type: "constructor" }],
  "a type named __proto__": () => [{ type: "__proto__" }],
  "a type that is no text": () => [{ type: { toString: "told" } }],
  "an own field named __proto__": () => [JSON.parse('{"__proto__":{"type":"drained"}}')],

  // Known messages with fields of the wrong shape.
  "events that are none": () => [{ type: "events", events: "abc", release: undefined }],
  "events without their list": () => [{ type: "events" }],
  "a list without end": () => [{ type: "events", events: new Array(2 ** 32 - 1) }],
  "a session with more values than there are": ({ own }) => [events(own, 4, SENT, 1)],
  "a session with a negative number of values": ({ own }) => [events(own, -2, SENT, 1)],
  "a session with NaN values": ({ own }) => [events(own, Number.NaN, SENT, 1)],
  "an event that is none": ({ own }) => [events(own, 2, 99, 1)],
  "an event by the prototype": ({ own }) => [events(own, 2, "constructor", 1)],
  "an event cut short": ({ own }) => [events(own, 1, SENT)],
  "octets that are NaN": ({ own }) => [events(own, 2, SENT, Number.NaN)],
  "octets below none": ({ own }) => [events(own, 2, SENT, -1)],
  "octets beyond all wires": ({ own }) => [events(own, 2, SENT, 2 ** 60)],
  "a reason to close that is none": ({ own }) => [events(own, 3, DISCONNECTED, at, "because")],
  "a command that is none": ({ own }) => [events(own, 3, 1, "X".repeat(100), 1)],
  "an audit entry as an event": ({ own }) => [events(own, 2, OTHER, { type: "audit" })],
  "a call of a method that is none": () => [call("shutdown")],
  "a call of the prototype's": () => [call("constructor")],
  "a call without arguments": () => [call("login")],
  "a call with too many arguments": ({ own }) => [call("enterTurn", own, 1)],
  "a call by a number that is none": ({ own }) => [
    { ...call("enterTurn", own) as object, call: "1" },
  ],
  "a call by a number of before": ({ own }) => [{ ...call("enterTurn", own) as object, call: 1 }],
  "a password that is no text": ({ fresh, address }) => [
    call("login", { session: fresh, address }, {
      kind: "password",
      mechanism: "USER",
      user: "ann",
      password: 7,
    }),
  ],
  "credentials of no kind": ({ fresh, address }) => [
    call("login", { session: fresh, address }, { kind: "admin", user: "root" }),
  ],
  "a proof in memory that changes": ({ fresh, address }) => [
    call("login", { session: fresh, address }, {
      kind: "scram",
      mechanism: "SCRAM-SHA-256",
      user: "bob",
      authMessage: "",
      proof: new Uint8Array(new SharedArrayBuffer(32)),
    }),
  ],

  // Sessions and logins of others, and such as there are not.
  "the end of another's session": ({ others }) => [events(others, 3, DISCONNECTED, at, "quit")],
  "octets of another's session": ({ others }) => [events(others, 2, SENT, 1)],
  "the lock of another's session": ({ others }) => [
    { type: "events", events: [], release: others },
  ],
  "a lock of another's session, by a question": ({ others }) => [
    call("releaseLease", others, "quit"),
  ],
  "a claim of another's lock": ({ others }) => [call("claimLease", others)],
  "a reason for giving back that is none": ({ own }) => [call("releaseLease", own, "because")],
  "a lock that it has not": ({ fresh }) => [{ type: "events", events: [], release: fresh }],
  "a session under another's name": ({ others }) => [
    events(`${others}1`, 5, CONNECTED, at, "192.0.2.9", 110, undefined),
  ],
  "a session under a name that was used": ({ own }) => [
    events(own, 5, CONNECTED, at, "192.0.2.9", 110, undefined),
  ],
  "a session from no address": ({ next }) => [
    events(next, 5, CONNECTED, at, "everywhere", 110, undefined),
  ],
  "a login that was not granted": ({ fresh }) => [
    events(fresh, 7, LOGIN, at, "bob", "USER", 1, 1, 1),
  ],
  "a login as somebody else": ({ own }) => [events(own, 7, LOGIN, at, "bob", "USER", 1, 1, 1)],
  "mail of a session without a login": ({ fresh }) => [events(fresh, 2, 6, 3)],
  "a refusal": ({ fresh, address }) => [
    events(fresh, 2, OTHER, {
      type: "login-refused",
      at,
      address,
      user: "bob",
      mechanism: "USER",
      reason: "credentials",
    }),
  ],
  "a guess for another's session": ({ others, address }) => [guess(others, address)],
  "a guess for no session": ({ next, address }) => [guess(next, address)],
  "a guess from another address": ({ fresh }) => [guess(fresh, "198.51.100.7")],
  "a second login of a session": ({ own, address }) => [guess(own, address)],
  "two guesses at once": ({ fresh, address }) => [
    guess(fresh, address, "nobody"),
    { ...guess(fresh, address, "nobody") as object, call: 1001 },
  ],
  "an admission for another's session": ({ others, address }) => [
    call("admit", { session: others, address, tls: undefined }),
  ],

  // Programs.
  "a process as if it were its program": ({ pid }) => [{ type: "group-started", pid }],
  "the end of process 1": () => [call("endGroup", 1)],
  "a turn for another's session": ({ others }) => [call("enterTurn", others)],
  "a turn for a session without a login": ({ fresh }) => [call("enterTurn", fresh)],
  "a program without a turn": () => [run({ turn: 3 })],
  "a program in the turn of a login": () => [run({ turn: 1 })],
  "a program on a file elsewhere": ({ own }) => [
    call("enterTurn", own),
    run({ file: { ...MAIL, path: "/etc/shadow" } }),
  ],
  "a program on a file elsewhere, by dots": ({ own }) => [
    call("enterTurn", own),
    run({ file: { ...MAIL, path: "/var/mail/../../etc/shadow" } }),
  ],
  "a program on a path with a NUL": ({ own }) => [
    call("enterTurn", own),
    run({ file: { ...MAIL, path: "/var/mail/a\0b" } }),
  ],
  "a program on a descriptor": ({ own }) => [call("enterTurn", own), run({ file: 9 })],
  "a program with variables of its own": ({ own }) => [
    call("enterTurn", own),
    run({ uid: "1\0LD_PRELOAD=/var/mail/evil.so" }),
  ],
  "a program whose output goes nowhere": ({ own }) => [
    call("enterTurn", own),
    run({ ring: new SharedArrayBuffer(8) }),
  ],
  "a second program in one turn": ({ own }) => [call("enterTurn", own), run({}), run({})],

  // What it says of itself.
  "that it has ended": () => [{ type: "drained" }],
  "that its ports are closed": () => [{ type: "retired" }],
  "that it listens, again": () => [{ type: "listening" }],
  "that it could not start": () => [
    { type: "failed", name: "AddrInUse", message: "no port", where: undefined },
  ],
  "an answer that nobody asked for": () => [{ type: "told" }],
};
