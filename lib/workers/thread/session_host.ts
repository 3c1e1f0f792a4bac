/** Serves POP3: listens, and leads each connection through its session. */

import { type Clock, systemClock } from "../../async/clock.ts";
import { Yielder } from "../../async/yielder.ts";
import { type MailStore, MessageChangedError } from "../../contracts/mail_store.ts";
import { AddressConnections } from "../../net/address_connections.ts";
import type { Connection } from "../../contracts/connection.ts";
import type { ConnectionSlots } from "../../contracts/connection_slots.ts";
import type { ListenOptions } from "../../net/endpoint.ts";
import { SharedConnectionSlots } from "../../net/shared_connection_slots.ts";
import { Listener } from "../../net/listener.ts";
import { isLoopback, NetworkList } from "../../net/networks.ts";
import type { SecureContexts } from "../../net/secure_contexts.ts";
import { AddressLimit } from "../../net/address_limit.ts";
import { type Arrival, Arrivals } from "./arrivals.ts";
import { DelayedAnswers } from "../../wire/delayed_answers.ts";
import { Handshakes } from "../../net/handshakes.ts";
import type { CloseReason } from "../../contracts/event.ts";
import { logger } from "../../log/logging.ts";
import { DISPLACED } from "../../pop3/refusals.ts";
import type { Pop3Services } from "../../pop3/services.ts";
import { Pop3Session } from "../../pop3/session.ts";
import type { SessionSettings } from "../../contracts/settings.ts";
import { type Transformer, TransformerError } from "../../contracts/transformer.ts";
import type { LoginService, SessionIdentity } from "../../contracts/login_service.ts";
import { Conversation } from "../../wire/conversation.ts";
import { StallClock } from "../../wire/stall_guard.ts";

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
  readonly #yielder: Yielder;
  readonly #listeners = new Set<Listener>();
  readonly #sessions = new Map<string, Conversation>();
  readonly #networkLists = new WeakMap<readonly string[], NetworkList>();
  readonly #stalls = new StallClock();
  readonly #delayed = new DelayedAnswers();
  readonly #slots: ConnectionSlots;
  readonly #handshakes: Handshakes | undefined;
  readonly #arrivals: Arrivals;
  #emptied: (() => void) | undefined;
  /** Whether the patience with sessions is over. */
  #expired = false;

  constructor(options: SessionHostOptions) {
    this.#options = options;
    const { addresses = AddressConnections.ofOneThread(), contexts, loginService, newSession } =
      options;
    this.#clock = options.clock ?? systemClock;
    this.#yielder = options.yielder ?? new Yielder();
    this.#slots = options.slots ??
      SharedConnectionSlots.ofOneThread(loginService.settings.maxConnections);
    this.#handshakes = contexts && new Handshakes(contexts);
    this.#arrivals = new Arrivals({
      loginService,
      newSession,
      clock: this.#clock,
      stalls: this.#stalls,
      limit: new AddressLimit(addresses),
      handshakes: this.#handshakes,
      converse: (connection, arrival, said) => this.#converse(connection, arrival, said),
      emptied: () => this.#left(),
    });
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
      ...this.#upgrade(),
      slots: this.#slots,
      yielder: this.#yielder,
      serve: (connection, slot) => this.#arrivals.accept(connection, slot, where.tls ?? false),
      fault: (error) => log.error("Cannot accept connections: {error}", { error }),
      recovered: () => log.info("Accepting connections again"),
    });
    this.#listeners.add(listener);
    return listener.address;
  }

  /** Begins to serve on all ports. */
  start(): void {
    for (const listener of this.#listeners) listener.run();
  }

  /** Leads a connection that no listener brought through its session. Never rejects. */
  async serve(connection: Connection): Promise<void> {
    const slot = this.#slots.enter(() => connection[Symbol.dispose]());
    await this.#arrivals.serve(connection, slot);
    slot.free();
  }

  /** Not asynchronous itself, nor are those who call it: each frame that waits costs an idle session a third of a kilobyte. */
  #converse(connection: Connection, arrival: Arrival, said?: Uint8Array): Promise<void> {
    const { session, slot, connected, settings, isOverLimit } = arrival;
    const { loginService, store, transformer } = this.#options;
    const { address } = connection.peer;
    const identity: SessionIdentity = { session, address, tls: connection.tls?.version };
    const dialogue = new Pop3Session({
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
      penalty: (milliseconds, gone) =>
        this.#delayed.hold({
          address,
          milliseconds,
          gone,
          slot,
          end: () => conversation.close("client-gone"),
        }),
      ...this.#inClear(settings, address),
      close: (reason) => conversation.close(reason),
      clock: this.#clock,
    }, connection.tls);
    const conversation = new Conversation(
      connection,
      dialogue,
      (error) => complain(identity, error),
      this.#stalls,
      this.#yielder,
    );
    slot.giveWay = () => conversation.dismiss("displaced", DISPLACED);
    this.#sessions.set(session, conversation);
    if (this.#expired) conversation.close("shutdown");
    return conversation.run(said).then(() => {
      this.#sessions.delete(session);
      this.#left();
    });
  }

  /** Tells whoever waits for the end. */
  #left(): void {
    if (this.#empty) this.#emptied?.();
  }

  get #empty(): boolean {
    return this.#sessions.size === 0 && this.#arrivals.empty;
  }

  #upgrade(): { upgrade?: (connection: Connection) => Promise<Connection> } {
    const handshakes = this.#handshakes;
    return handshakes === undefined ? {} : { upgrade: (raw) => handshakes.accept(raw) };
  }

  /**
   * What may be said without TLS. Where there is TLS to turn to, logins can be kept to some networks (operations.md,
   * `--cleartext-networks`); PLAIN and LOGIN are offered to those alone, and to loopback where none are named.
   */
  #inClear(
    { cleartextNetworks, requireTls }: SessionSettings,
    address: string,
  ): Pick<Pop3Services, "clearAllowed" | "plainInClear"> {
    if (requireTls) return { clearAllowed: false, plainInClear: false };
    if (this.#options.contexts === undefined) return { clearAllowed: true, plainInClear: true };
    if (cleartextNetworks === undefined) {
      return { clearAllowed: true, plainInClear: isLoopback(address) };
    }
    const isNamed = this.#networks(cleartextNetworks).holds(address);
    return { clearAllowed: isNamed, plainInClear: isNamed };
  }

  #networks(texts: readonly string[]): NetworkList {
    let list = this.#networkLists.get(texts);
    if (list === undefined) {
      list = new NetworkList(texts);
      this.#networkLists.set(texts, list);
    }
    return list;
  }

  /** Ends one session. Returns whether there was such a one. */
  close(session: string, reason: CloseReason): boolean {
    const conversation = this.#sessions.get(session);
    conversation?.close(reason);
    return conversation !== undefined || this.#arrivals.close(session, reason);
  }

  /**
   * Accepts no more, lets the sessions come to their end, and ends those that have not by then; nothing is deleted for them.
   *
   * @param expired aborted when the patience is over
   * @param retired given where those who have connected already, and wait for a slot, are to be served as well; told when the ports
   *   are closed
   */
  async shutdown(expired: AbortSignal, retired?: () => void): Promise<void> {
    const listeners = [...this.#listeners];
    const close = (): void => listeners.forEach((listener) => listener[Symbol.dispose]());
    const end = (): void => {
      this.#expired = true;
      close();
      this.#arrivals.end();
      for (const conversation of this.#sessions.values()) conversation.close("shutdown");
    };
    if (expired.aborted) end();
    else expired.addEventListener("abort", end, { once: true });
    if (retired !== undefined) await retire(listeners, retired);
    close();
    this.#listeners.clear();
    if (this.#empty) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#emptied = resolve;
    await promise;
  }
}

/** Lets all listeners retire, and says when the last port is closed. */
async function retire(listeners: readonly Listener[], closed: () => void): Promise<void> {
  let open = listeners.length;
  const oneClosed = (): void => {
    if (--open === 0) closed();
  };
  await Promise.all(listeners.map((listener) => listener.retire(oneClosed)));
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
  } else if (error instanceof MessageChangedError) log.warn(cut, { session, address, error });
  else log.error("A session failed: {error}", { session, address, error });
}
