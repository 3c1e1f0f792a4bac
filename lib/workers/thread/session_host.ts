/** Serves POP3: listens, and leads each connection through its session. */

import { type Clock, systemClock } from "../../async/clock.ts";
import { Yielder } from "../../async/yielder.ts";
import { type MailStore, MessageChangedError } from "../../contracts/mail_store.ts";
import type { Connection } from "../../contracts/connection.ts";
import { acceptProxied } from "../../net/proxy_protocol.ts";
import { Listener } from "../../net/listener.ts";
import { NetworkList } from "../../net/networks.ts";
import type { SecureContexts } from "../../net/secure_contexts.ts";
import type { ListenOptions } from "../../net/endpoint.ts";
import type { ConnectionSlots } from "../../contracts/connection_slots.ts";
import { acceptTls } from "../../net/tls_connection.ts";
import { DelayedAnswers } from "../../wire/delayed_answers.ts";
import type { CloseReason } from "../../contracts/event.ts";
import { logger } from "../../log/logging.ts";
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
  readonly slots: ConnectionSlots;
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

/** How long, in milliseconds, a client may take for a TLS handshake, and a proxy for its header. */
const HANDSHAKE_MS = 15_000;
const PROXY_HEADER_MS = 5000;

/** The sessions of one thread, and the ports that bring them. */
export class SessionHost {
  readonly #options: SessionHostOptions;
  readonly #clock: Clock;
  readonly #yielder: Yielder;
  readonly #listeners = new Set<Listener>();
  readonly #sessions = new Map<string, Conversation>();
  /** Connections that are not sessions yet: they shake hands, or their proxy has not told who they are. */
  readonly #arriving = new Set<Connection>();
  readonly #networkLists = new WeakMap<readonly string[], NetworkList>();
  readonly #stalls = new StallClock();
  readonly #delayed = new DelayedAnswers();
  #emptied: (() => void) | undefined;
  /** Whether the patience with sessions is over. */
  #expired = false;

  constructor(options: SessionHostOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#yielder = options.yielder ?? new Yielder();
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
      slots: this.#options.slots,
      serve: (connection) => this.#accept(connection, where.tls ?? false),
      fault: (error) =>
        log.error("Connections cannot be accepted for the moment: {error}", { error }),
      recovered: () => log.info("Connections are accepted again"),
    });
    this.#listeners.add(listener);
    return listener.address;
  }

  /** Begins to serve on all ports. */
  start(): void {
    for (const listener of this.#listeners) listener.run();
  }

  /** Leads one connection through its session, TLS first where the port wants it. Never rejects. */
  serve(raw: Connection, implicitTls = false): Promise<void> {
    const { loginService, newSession } = this.#options;
    const session = newSession();
    loginService.observe({
      type: "connected",
      session,
      at: this.#clock.wall(),
      address: raw.peer.address,
      port: raw.local.port,
      tls: raw.tls?.version,
    });
    this.#arriving.add(raw);
    return implicitTls ? this.#serveSecure(raw, session) : this.#converse(raw, raw, session);
  }

  async #serveSecure(raw: Connection, session: string): Promise<void> {
    const connection = await this.#shakeHands(raw, session);
    if (connection !== undefined) await this.#converse(raw, connection, session);
    else this.#gone(raw);
  }

  /** Not asynchronous itself, nor are those who call it: each frame that waits costs an idle session a third of a kilobyte. */
  #converse(raw: Connection, connection: Connection, session: string): Promise<void> {
    const { loginService, store, transformer } = this.#options;
    const { settings } = loginService;
    const { address } = connection.peer;
    const identity: SessionIdentity = { session, address, tls: connection.tls?.version };
    const dialogue = new Pop3Session({
      loginService,
      settings,
      store: store(settings),
      transformer: transformer(settings),
      identity,
      tlsOffered: connection.startTls !== undefined,
      penalty: (milliseconds, gone) =>
        this.#delayed.hold({
          address,
          milliseconds,
          gone,
          end: () => conversation.close("client-gone"),
        }),
      clearAllowed: !settings.requireTls && this.#clearAllowed(settings, address),
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
    this.#sessions.set(session, conversation);
    this.#arriving.delete(raw);
    if (this.#expired) conversation.close("shutdown");
    return conversation.run().then(() => {
      this.#sessions.delete(session);
      this.#gone(raw);
    });
  }

  #gone(raw: Connection): void {
    this.#arriving.delete(raw);
    if (this.#empty) this.#emptied?.();
  }

  get #empty(): boolean {
    return this.#sessions.size === 0 && this.#arriving.size === 0;
  }

  /** A connection of a trusted proxy begins with a header that tells the client (PROXY protocol). */
  #accept(connection: Connection, implicitTls: boolean): Promise<void> {
    const peers = this.#networks(this.#options.loginService.settings.proxyProtocol);
    return peers.holds(connection.peer.address)
      ? this.#acceptProxied(connection, implicitTls)
      : this.serve(connection, implicitTls);
  }

  async #acceptProxied(connection: Connection, implicitTls: boolean): Promise<void> {
    let told;
    this.#arriving.add(connection);
    try {
      told = await acceptProxied(connection, { timeout: PROXY_HEADER_MS, ...this.#upgrade() });
    } catch (error) {
      log.debug("A proxy sent no good header: {error}", {
        address: connection.peer.address,
        error,
      });
      return this.#gone(connection);
    }
    const serving = this.serve(told, implicitTls);
    this.#arriving.delete(connection);
    await serving;
  }

  async #shakeHands(raw: Connection, session: string): Promise<Connection | undefined> {
    const { contexts, loginService } = this.#options;
    if (contexts === undefined) {
      throw new TypeError("A port for TLS was opened without a certificate");
    }
    try {
      const connection = await acceptTls(raw, { contexts, handshakeTimeout: HANDSHAKE_MS });
      loginService.observe({ type: "tls", session, version: connection.tls?.version, ok: true });
      return connection;
    } catch (error) {
      log.debug("A TLS handshake failed: {error}", { session, address: raw.peer.address, error });
      loginService.observe({ type: "tls", session, version: undefined, ok: false });
      loginService.observe({
        type: "disconnected",
        session,
        at: this.#clock.wall(),
        reason: "tls-failed",
      });
      return undefined;
    }
  }

  #upgrade(): { upgrade?: (connection: Connection) => Promise<Connection> } {
    const { contexts } = this.#options;
    if (contexts === undefined) return {};
    return {
      upgrade: (connection) => acceptTls(connection, { contexts, handshakeTimeout: HANDSHAKE_MS }),
    };
  }

  /** Logins in clear can be kept to some networks where there is TLS to turn to (operations.md, `--cleartext-networks`). */
  #clearAllowed({ cleartextNetworks }: SessionSettings, address: string): boolean {
    if (cleartextNetworks === undefined || this.#options.contexts === undefined) return true;
    return this.#networks(cleartextNetworks).holds(address);
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
    return conversation !== undefined;
  }

  /**
   * Accepts no more, lets the sessions come to their end, and ends those that have not by then; nothing is deleted for them.
   *
   * @param expired aborted when the patience is over
   * @param retired given where those who have connected already, and wait for a place, are to be served as well; told when the ports
   *   are closed
   */
  async shutdown(expired: AbortSignal, retired?: () => void): Promise<void> {
    const listeners = [...this.#listeners];
    const close = (): void => listeners.forEach((listener) => listener[Symbol.dispose]());
    const end = (): void => {
      this.#expired = true;
      close();
      for (const connection of this.#arriving) connection[Symbol.dispose]();
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
