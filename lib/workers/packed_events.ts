/** Events on their way from a worker to the main thread, packed so that sending them costs little. */

import type { ServerEvent } from "../contracts/event.ts";

/**
 * Events of several sessions: for each session its name, how many values follow, and those. The threads' messages copy every
 * property's name of every object; a flat list of values has none.
 */
export type PackedEvents = readonly unknown[];

/** What the next value begins. */
export const CONNECTED = 0;
export const ANSWERED = 1;
export const REFUSED = 2;
export const SENT = 3;
export const LOGIN = 4;
export const RETRIEVED = 5;
export const DELETED = 6;
export const DISCONNECTED = 7;
/** Anything rarer, as it is. */
export const OTHER = 8;

/** Gathers events until they are taken; unpack_events.ts reads them. The order of one session's events stays. */
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
