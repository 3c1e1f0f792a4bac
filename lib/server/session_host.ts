/** Serves POP3: listens, and leads each connection through its session. */

import type { MailStore } from "../mail/mail_store.ts";
import type { Connection } from "../net/connection.ts";
import { Listener } from "../net/listener.ts";
import type { Seats } from "../net/seats.ts";
import type { CloseReason } from "../observe/event.ts";
import { logger } from "../observe/logging.ts";
import { Pop3Session } from "../pop3/session.ts";
import type { SessionSettings } from "../settings/settings.ts";
import { type Transformer, TransformerError } from "../transform/transformer.ts";
import type { Gate, SessionIdentity } from "../users/gate.ts";
import { Conversation } from "../wire/conversation.ts";

const log = logger("pop3");

/** What the sessions of one thread are made from. */
export interface SessionHostOptions {
  readonly gate: Gate;
  readonly seats: Seats;
  /** The store of these settings. */
  readonly store: (settings: SessionSettings) => MailStore;
  /** The transformer of these settings. */
  readonly transformer: (settings: SessionSettings) => Transformer;
  /** A name for a session that no other has or had. */
  readonly newSession: () => string;
  readonly now?: () => number;
}

/** Where to listen. */
export interface ListenOptions {
  readonly hostname: string;
  readonly port: number;
  readonly reusePort?: boolean;
}

/** The sessions of one thread, and the ports that bring them. */
export class SessionHost {
  readonly #options: SessionHostOptions;
  readonly #now: () => number;
  readonly #listeners = new Set<Listener>();
  readonly #sessions = new Map<string, Conversation>();
  #emptied: (() => void) | undefined;

  constructor(options: SessionHostOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** How many sessions there are. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /**
   * Opens a port; nobody is served before {@linkcode SessionHost.start}.
   *
   * @returns the address that it has
   * @throws {Error} when it cannot be opened
   */
  listen(where: ListenOptions): Deno.NetAddr {
    const listener = new Listener({
      ...where,
      seats: this.#options.seats,
      serve: (connection) => this.serve(connection),
      fault: (error) =>
        log.error("Connections cannot be accepted for the moment: {error}", { error }),
    });
    this.#listeners.add(listener);
    return listener.address;
  }

  /** Begins to serve on all ports. */
  start(): void {
    for (const listener of this.#listeners) listener.run();
  }

  /** Leads one connection through its session. Never rejects. */
  async serve(connection: Connection): Promise<void> {
    const { gate, store, transformer, newSession } = this.#options;
    const { settings } = gate;
    const identity: SessionIdentity = {
      session: newSession(),
      address: connection.peer.address,
      tls: connection.tls?.version,
    };
    const session = new Pop3Session({
      gate,
      settings,
      store: store(settings),
      transformer: transformer(settings),
      identity,
      tlsOffered: connection.startTls !== undefined,
      close: (reason) => conversation.close(reason),
      now: this.#now,
    }, connection.tls);
    const conversation = new Conversation(
      connection,
      session,
      (error) => complain(identity, error),
    );
    this.#sessions.set(identity.session, conversation);
    gate.observe({
      type: "connected",
      session: identity.session,
      at: this.#now(),
      address: identity.address,
      port: connection.local.port,
      tls: identity.tls,
    });
    try {
      await conversation.run();
    } finally {
      this.#sessions.delete(identity.session);
      if (this.#sessions.size === 0) this.#emptied?.();
    }
  }

  /** Ends one session. Returns whether there was such a one. */
  close(session: string, reason: CloseReason): boolean {
    const conversation = this.#sessions.get(session);
    conversation?.close(reason);
    return conversation !== undefined;
  }

  /**
   * Accepts no more, lets the sessions come to their end, and ends those that have not by then; nothing is deleted for them.
   *
   * @param expired aborted when the patience is over
   */
  async shutdown(expired: AbortSignal): Promise<void> {
    for (const listener of this.#listeners) listener[Symbol.dispose]();
    this.#listeners.clear();
    if (this.#sessions.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#emptied = resolve;
    const end = (): void => {
      for (const conversation of this.#sessions.values()) conversation.close("shutdown");
    };
    if (expired.aborted) end();
    else expired.addEventListener("abort", end, { once: true });
    await promise;
  }
}

/** A transformer that fails is no fault of ours; everything else is one. */
function complain({ session, address }: SessionIdentity, error: unknown): void {
  if (error instanceof TransformerError) {
    log.warn("A message could not be sent to its end: {error}", { session, address, error });
  } else {
    log.error("A session failed: {error}", { session, address, error });
  }
}
