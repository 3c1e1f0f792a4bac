/** The table of open sessions, kept up by events. */

import type { CloseReason, Observer, ServerEvent } from "../contracts/event.ts";

/** One open session. */
export interface SessionView {
  readonly id: string;
  /** Undefined before login. */
  readonly user: string | undefined;
  readonly address: string;
  readonly port: number;
  /** The TLS version, or undefined in clear. */
  readonly tls: string | undefined;
  /** How it logged in; undefined before. */
  readonly mechanism: string | undefined;
  readonly state: "authorization" | "transaction" | "update";
  /** When it connected; milliseconds since 1970. */
  readonly since: number;
  /** When it logged in; milliseconds since 1970. */
  readonly login: number | undefined;
  /** Octets sent to it. */
  readonly bytes: number;
  /** Messages sent whole, and their octets. */
  readonly retrieved: number;
  readonly retrievedOctets: number;
  readonly deleted: number;
  /** The command answered last, without its argument. */
  readonly lastCommand: string | undefined;
}

type Row = { -readonly [K in keyof SessionView]: SessionView[K] };

/** Who is told of a session's two great moments. */
export interface SessionListener {
  /** It logged in. */
  opened?(session: SessionView): void;
  /** It is over, and no longer in the table. */
  ended?(session: SessionView, reason: CloseReason, at: number): void;
}

/** All open sessions by their ids. Events of a session that is not open are passed over. */
export class Sessions implements Iterable<SessionView> {
  readonly #rows = new Map<string, Row>();
  readonly #listener: SessionListener;

  constructor(listener: SessionListener = {}) {
    this.#listener = listener;
  }

  /** How many are open. */
  get size(): number {
    return this.#rows.size;
  }

  /** The session with this id, while it is open. */
  get(id: string): SessionView | undefined {
    return this.#rows.get(id);
  }

  /** The open sessions, the oldest first. The rows are live: copy what must stay as it is. */
  [Symbol.iterator](): Iterator<SessionView> {
    return this.#rows.values();
  }

  /** Keeps the table up. */
  readonly observe: Observer = (event: ServerEvent): void => {
    if (event.type === "connected") {
      this.#rows.set(event.session, newRow(event));
      return;
    }
    const row = this.#rows.get(event.session);
    if (row === undefined) return;
    switch (event.type) {
      case "command":
        row.lastCommand = event.name;
        if (event.name === "QUIT" && row.state === "transaction") row.state = "update";
        return;
      case "sent":
        row.bytes += event.octets;
        return;
      case "retrieved":
        row.retrieved++;
        row.retrievedOctets += event.octets;
        return;
      case "deleted":
        row.deleted += event.messages;
        return;
      case "tls":
        if (event.ok) row.tls = event.version ?? "TLS";
        return;
      case "login":
        row.user = event.user;
        row.mechanism = event.mechanism;
        row.login = event.at;
        row.state = "transaction";
        this.#listener.opened?.(row);
        return;
      case "disconnected":
        this.#rows.delete(event.session);
        this.#listener.ended?.(row, event.reason, event.at);
        return;
      default:
        return;
    }
  };
}

function newRow(event: ServerEvent & { type: "connected" }): Row {
  return {
    id: event.session,
    user: undefined,
    address: event.address,
    port: event.port,
    tls: event.tls,
    mechanism: undefined,
    state: "authorization",
    since: event.at,
    login: undefined,
    bytes: 0,
    retrieved: 0,
    retrievedOctets: 0,
    deleted: 0,
    lastCommand: undefined,
  };
}
