/** Serves POP3: listens, and leads each connection through its session. */

import { type Clock, systemClock } from "../../async/clock.ts";
import type { Yielder } from "../../async/yielder.ts";
import {
  MaildropUnavailableError,
  type MailStore,
  MessageChangedError,
} from "../../contracts/mail_store.ts";
import { AddressConnections } from "../../net/address_connections.ts";
import type { Connection } from "../../contracts/connection.ts";
import type { ConnectionSlots } from "../../contracts/connection_slots.ts";
import type { ListenOptions } from "../../net/endpoint.ts";
import { SharedConnectionSlots } from "../../net/shared_connection_slots.ts";
import type { SecureContexts } from "../../net/secure_contexts.ts";
import { AddressLimit } from "../../net/address_limit.ts";
import { type Arrival, Arrivals } from "./arrivals.ts";
import type { CloseReason } from "../../contracts/event.ts";
import { logger } from "../../log/logging.ts";
import { DISPLACED } from "../../pop3/refusals.ts";
import { Pop3Session } from "../../pop3/session.ts";
import type { SessionSettings } from "../../contracts/settings.ts";
import { LoginsInClear } from "../../wire/logins_in_clear.ts";
import { LineServer } from "../../wire/line_server.ts";
import { type Transformer, TransformerError } from "../../contracts/transformer.ts";
import type { LoginService, SessionIdentity } from "../../contracts/login_service.ts";

const log = logger("pop3");

/** What the sessions of one thread are made from. */
export interface SessionHostOptions {
  readonly loginService: LoginService;
  /** @default {as many as the settings say, for this thread alone} */
  readonly slots?: ConnectionSlots;
  /** Counts connections by address, for `max_connections_per_ip`. @default {in this thread alone} */
  readonly addresses?: AddressConnections;
  /** The store of these settings. */
  readonly store: (settings: SessionSettings) => MailStore;
  /** The transformer of these settings. */
  readonly transformer: (settings: SessionSettings) => Transformer;
  /** A name for a session that no other has or had. */
  readonly newSession: () => string;
  /** Certificates; without them there is no TLS. */
  readonly contexts?: SecureContexts | undefined;
  /** Shares the thread between long work and other sessions. @default {a new one} */
  readonly yielder?: Yielder;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/** The sessions of one thread, and the ports that bring them. */
export class SessionHost {
  readonly #options: SessionHostOptions;
  readonly #clock: Clock;
  readonly #server: LineServer<string>;
  readonly #arrivals: Arrivals;
  readonly #inClear: LoginsInClear;

  constructor(options: SessionHostOptions) {
    this.#options = options;
    const { addresses = AddressConnections.ofOneThread(), contexts, loginService, newSession } =
      options;
    this.#clock = options.clock ?? systemClock;
    this.#inClear = new LoginsInClear(contexts !== undefined);
    this.#server = new LineServer({
      slots: options.slots ??
        SharedConnectionSlots.ofOneThread(loginService.settings.maxConnections),
      contexts,
      yielder: options.yielder,
      serve: (connection, slot, { tls = false }) => this.#arrivals.accept(connection, slot, tls),
      arriving: () => !this.#arrivals.empty,
      fault: (error) => log.error("Cannot accept connections: {error}", { error }),
      recovered: () => log.info("Accepting connections again"),
    });
    this.#arrivals = new Arrivals({
      loginService,
      newSession,
      clock: this.#clock,
      stalls: this.#server.stalls,
      limit: new AddressLimit(addresses),
      handshakes: this.#server.handshakes,
      converse: (connection, arrival, said) => this.#converse(connection, arrival, said),
      emptied: () => this.#server.left(),
    });
  }

  /** How many sessions there are. */
  get sessions(): number {
    return this.#server.size;
  }

  /**
   * Opens a port; nobody is served before {@linkcode SessionHost.start}.
   *
   * @returns the address that it has
   * @throws {Error} when it cannot be opened
   */
  listen(where: ListenOptions): Deno.NetAddr {
    return this.#server.listen(where);
  }

  /** Begins to serve on all ports. */
  start(): void {
    this.#server.start();
  }

  /** Leads a connection that no listener brought through its session. Never rejects. */
  serve(connection: Connection): Promise<void> {
    return this.#server.place(connection, (slot) => this.#arrivals.serve(connection, slot));
  }

  /** Not asynchronous itself, nor are those who call it: each frame that waits costs an idle session a third of a kilobyte. */
  #converse(connection: Connection, arrival: Arrival, said?: Uint8Array): Promise<void> {
    const { session, slot, connected, settings, isOverLimit } = arrival;
    const { loginService, store, transformer } = this.#options;
    const { address } = connection.peer;
    const identity: SessionIdentity = { session, address, tls: connection.tls?.version };
    return this.#server.converse({
      connection,
      slot,
      key: session,
      said,
      displaced: DISPLACED,
      fault: (error) => complain(identity, error),
      dialogue: ({ close, penalty }) =>
        new Pop3Session({
          loginService,
          settings,
          store: store(settings),
          transformer: transformer(settings),
          identity,
          connected,
          isOverLimit,
          tlsOffered: connection.startTls !== undefined,
          keepSlot: (gone) => slot.keep(gone),
          releaseSlot: () => slot.release(),
          penalty,
          ...this.#inClear.of(settings, address),
          close,
          clock: this.#clock,
        }, connection.tls),
    });
  }

  /** Ends one session. Returns whether there was such a one. */
  close(session: string, reason: CloseReason): boolean {
    return this.#server.close(session, reason) || this.#arrivals.close(session, reason);
  }

  /**
   * Accepts no more, lets the sessions come to their end, and ends those that have not by then; nothing is deleted for them.
   *
   * @param expired aborted when the patience is over
   * @param retired given where those who have connected already, and wait for a slot, are to be served as well; told when the ports
   *   are closed
   */
  async shutdown(expired: AbortSignal, retired?: () => void): Promise<void> {
    const end = (): void => {
      this.#server.end("shutdown");
      this.#arrivals.end();
    };
    if (expired.aborted) end();
    else expired.addEventListener("abort", end, { once: true });
    if (retired !== undefined) await this.#server.retire(retired);
    this.#server.stopListening();
    await this.#server.emptied();
  }
}

/**
 * A transformer that fails, or another program that cuts a file, is no fault of ours; everything else is one. Of a transformer that
 * keeps failing, who watches the events warns once. One that was ended with its session is nobody's fault, and how the session ended is
 * told anyway.
 */
function complain({ session, address }: SessionIdentity, error: unknown): void {
  const cut = "A message could not be sent to its end: {error}";
  if (error instanceof TransformerError) {
    if (error.reason !== "cancelled") log.info(cut, { session, address, error });
  } else if (error instanceof MessageChangedError || error instanceof MaildropUnavailableError) {
    log.warn(cut, { session, address, error });
  } else log.error("A session failed: {error}", { session, address, error });
}
