/** Events on their way from a worker to the main thread, packed so that sending them costs little. */

import type { CloseReason, Observer, ServerEvent } from "../contracts/event.ts";

/**
 * Events of several sessions: for each session its name, how many values follow, and those. The threads' messages copy every
 * property's name of every object; a flat list of values has none.
 */
export type PackedEvents = readonly unknown[];

/** What the next value begins. */
const CONNECTED = 0;
const ANSWERED = 1;
const REFUSED = 2;
const SENT = 3;
const LOGIN = 4;
const RETRIEVED = 5;
const DELETED = 6;
const DISCONNECTED = 7;
/** Anything rarer, as it is. */
const OTHER = 8;

/** Gathers events until they are taken. The order of one session's events stays. */
export class EventPacker {
  #sessions = new Map<string, Gathered>();

  /** Whether nothing was gathered. */
  get empty(): boolean {
    return this.#sessions.size === 0;
  }

  /** Adds an event. */
  add(event: ServerEvent): void {
    let gathered = this.#sessions.get(event.session);
    if (gathered === undefined) {
      gathered = { values: [], sentAt: undefined };
      this.#sessions.set(event.session, gathered);
    } else if (event.type === "disconnected") {
      // Told last, so that sessions which began before this one ended are seen to overlap with it.
      this.#sessions.delete(event.session);
      this.#sessions.set(event.session, gathered);
    }
    pack(event, gathered);
  }

  /** Gives what was gathered and begins anew. */
  take(): PackedEvents {
    const packed: unknown[] = [];
    for (const [session, { values }] of this.#sessions) {
      packed.push(session, values.length);
      for (const value of values) packed.push(value);
    }
    this.#sessions = new Map();
    return packed;
  }
}

/** One session's values, and where among them the octets sent are counted: in one place, however often some were. */
interface Gathered {
  readonly values: unknown[];
  sentAt: number | undefined;
}

function pack(event: ServerEvent, gathered: Gathered): void {
  const { values } = gathered;
  switch (event.type) {
    case "connected":
      values.push(CONNECTED, event.at, event.address, event.port, event.tls);
      return;
    case "command":
      values.push(event.outcome === "ok" ? ANSWERED : REFUSED, event.name, event.milliseconds);
      return;
    case "sent":
      if (gathered.sentAt !== undefined) {
        values[gathered.sentAt] = values[gathered.sentAt] as number + event.octets;
      } else gathered.sentAt = values.push(SENT, event.octets) - 1;
      return;
    case "login":
      values.push(LOGIN, event.at, event.user, event.mechanism);
      values.push(event.messages, event.octets, event.milliseconds);
      return;
    case "retrieved":
      values.push(RETRIEVED, event.octets);
      return;
    case "deleted":
      values.push(DELETED, event.messages);
      return;
    case "disconnected":
      values.push(DISCONNECTED, event.at, event.reason);
      return;
    default:
      values.push(OTHER, event);
  }
}

/** Tells an observer of packed events, one after the other. */
export function unpackEvents(packed: PackedEvents, observe: Observer): void {
  for (let at = 0; at < packed.length;) {
    const session = packed[at] as string;
    const end = at + 2 + (packed[at + 1] as number);
    for (at += 2; at < end;) at = unpackOne(packed, at, session, observe);
  }
}

/** Tells of the event at `at`. Returns where the next one stands. */
function unpackOne(packed: PackedEvents, at: number, session: string, observe: Observer): number {
  // Each kind's values stand as pack() has put them.
  switch (packed[at]) {
    case CONNECTED:
      observe({
        type: "connected",
        session,
        at: packed[at + 1] as number,
        address: packed[at + 2] as string,
        port: packed[at + 3] as number,
        tls: packed[at + 4] as string | undefined,
      });
      return at + 5;
    case ANSWERED:
    case REFUSED:
      observe({
        type: "command",
        session,
        name: packed[at + 1] as string,
        outcome: packed[at] === ANSWERED ? "ok" : "error",
        milliseconds: packed[at + 2] as number,
      });
      return at + 3;
    case SENT:
      observe({ type: "sent", session, octets: packed[at + 1] as number });
      return at + 2;
    case LOGIN:
      observe({
        type: "login",
        session,
        at: packed[at + 1] as number,
        user: packed[at + 2] as string,
        mechanism: packed[at + 3] as string,
        messages: packed[at + 4] as number,
        octets: packed[at + 5] as number,
        milliseconds: packed[at + 6] as number,
      });
      return at + 7;
    case RETRIEVED:
      observe({ type: "retrieved", session, octets: packed[at + 1] as number });
      return at + 2;
    case DELETED:
      observe({ type: "deleted", session, messages: packed[at + 1] as number });
      return at + 2;
    case DISCONNECTED:
      observe({
        type: "disconnected",
        session,
        at: packed[at + 1] as number,
        reason: packed[at + 2] as CloseReason,
      });
      return at + 3;
    default:
      observe(packed[at + 1] as ServerEvent);
      return at + 2;
  }
}
