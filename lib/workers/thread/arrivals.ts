/** Leads connections from their port to a session: PROXY header, limit of the address, TLS, greeting. */

import type { Clock } from "../../async/clock.ts";
import type { Connection } from "../../contracts/connection.ts";
import type { ConnectionSlot } from "../../contracts/connection_slots.ts";
import { NetworkLists } from "../../net/networks.ts";
import { PrefixedConnection } from "../../net/prefixed_connection.ts";
import { acceptProxied } from "../../net/proxy_protocol.ts";
import { HandshakeError } from "../../contracts/connection.ts";
import type { CloseReason } from "../../contracts/event.ts";
import { logger } from "../../log/logging.ts";
import { greeting } from "../../pop3/greeting.ts";
import { DISPLACED, type Refusal, TOO_MANY_FROM_ADDRESS } from "../../pop3/refusals.ts";
import { connectionsPerAddress } from "../../settings/connections_per_address.ts";
import type { SessionSettings } from "../../contracts/settings.ts";
import type { LoginService } from "../../contracts/login_service.ts";
import { negative, positive } from "../../wire/first_line.ts";
import type { StallClock } from "../../wire/stall_guard.ts";
import type { AddressLimit } from "../../net/address_limit.ts";
import { HANDSHAKE_MS, type Handshakes } from "../../net/handshakes.ts";
import { SilentClient } from "../../wire/silent_client.ts";

const log = logger("pop3");

/** How long, in milliseconds, a proxy may take for its header. */
const PROXY_HEADER_MS = 5000;

const encoder = new TextEncoder();

/** A connection that is becoming a session. */
export interface Arrival {
  /** What was accepted, or stands behind a PROXY header. */
  readonly raw: Connection;
  readonly slot: ConnectionSlot;
  readonly session: string;
  /** When it connected, on both clocks. */
  readonly connected: { readonly wall: number; readonly monotonic: number };
  /** Those in force when it connected. */
  readonly settings: SessionSettings;
  /** Whether its address has too many connections, which it is told in place of the greeting. */
  readonly isOverLimit: boolean;
}

/** What arrivals are led with. */
export interface ArrivalsOptions {
  readonly loginService: LoginService;
  readonly clock: Clock;
  readonly stalls: StallClock;
  readonly limit: AddressLimit;
  /** Without them there is no TLS. */
  readonly handshakes: Handshakes | undefined;
  /** A name for a session that no other has or had. */
  readonly newSession: () => string;
  /**
   * Leads the session to its end.
   *
   * @param said what a client that was greeted has said
   */
  readonly converse: (
    connection: Connection,
    arrival: Arrival,
    said?: Uint8Array,
  ) => Promise<void>;
  /** Told when nobody is arriving any more. */
  readonly emptied: () => void;
}

/** The arrivals of one thread. */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  /** Those that have said nothing yet, by session. */
  readonly #silent = new Map<string, SilentClient>();
  /** Those that shake hands, or whose proxy has not told who they are. */
  readonly #busy = new Set<Connection>();
  readonly #proxies = new NetworkLists();
  #isOver = false;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /** Whether nobody is arriving. */
  get empty(): boolean {
    return this.#silent.size === 0 && this.#busy.size === 0;
  }

  /** Leads a connection through its session, behind the header with which a trusted proxy's begins. Never rejects. */
  accept(connection: Connection, slot: ConnectionSlot, implicitTls: boolean): Promise<void> {
    const { proxyProtocol } = this.#options.loginService.settings;
    return this.#proxies.of(proxyProtocol).holds(connection.peer.address)
      ? this.#acceptProxied(connection, slot, implicitTls)
      : this.serve(connection, slot, { implicitTls });
  }

  /**
   * Leads a connection through its session. Never rejects.
   *
   * @param how.implicitTls whether TLS comes first
   * @param how.isOfClient false where a trusted proxy speaks for itself
   */
  serve(
    raw: Connection,
    slot: ConnectionSlot,
    { implicitTls = false, isOfClient = true } = {},
  ): Promise<void> {
    const { clock, loginService, limit, newSession } = this.#options;
    const { settings } = loginService;
    const { address } = raw.peer;
    const session = newSession();
    const connected = { wall: clock.wall(), monotonic: clock.monotonic() };
    const admission = isOfClient
      ? limit.enter(address, slot, connectionsPerAddress(settings))
      : "served";
    const isOverLimit = admission !== "served";
    loginService.observe({
      type: "connected",
      session,
      at: connected.wall,
      address,
      port: raw.local.port,
      tls: raw.tls?.version,
    });
    if (admission === "closed") return this.#turnAway(raw, session, implicitTls);
    const arrival = { raw, slot, session, connected, settings, isOverLimit };
    return implicitTls ? this.#secure(arrival) : this.#greet(arrival);
  }

  /** Ends an arrival. Returns whether there was such a one. */
  close(session: string, reason: CloseReason): boolean {
    const silent = this.#silent.get(session);
    silent?.close(reason);
    return silent !== undefined;
  }

  /** Ends all arrivals, and those that come. */
  end(): void {
    this.#isOver = true;
    for (const silent of this.#silent.values()) silent.close("shutdown");
    for (const connection of this.#busy) connection[Symbol.dispose]();
  }

  async #acceptProxied(
    connection: Connection,
    slot: ConnectionSlot,
    implicitTls: boolean,
  ): Promise<void> {
    let told;
    const { handshakes } = this.#options;
    this.#begin(connection);
    try {
      told = await acceptProxied(connection, {
        timeout: PROXY_HEADER_MS,
        ...(handshakes && { upgrade: (raw) => handshakes.accept(raw) }),
      });
    } catch (error) {
      const { address } = connection.peer;
      log.debug("Invalid PROXY header: {error}", { address, error });
      return this.#done(connection);
    }
    const isOfClient = told.peer !== connection.peer;
    const serving = this.serve(told, slot, { implicitTls, isOfClient });
    this.#done(connection);
    await serving;
  }

  /** Ends a connection of an address that has too many and is told so by others: without a session, and over TLS without a word. */
  async #turnAway(raw: Connection, session: string, implicitTls: boolean): Promise<void> {
    const { code, text } = TOO_MANY_FROM_ADDRESS;
    const line = encoder.encode(`${negative(text, code)}\r\n`);
    if (!implicitTls) await raw.write(line).catch(() => {}); // It may have left.
    raw[Symbol.dispose]();
    this.#disconnected(session, "refused");
  }

  /** Not asynchronous, nor are those who call it: each frame that waits costs a silent client a third of a kilobyte. */
  #greet(arrival: Arrival): Promise<void> {
    const { converse, loginService } = this.#options;
    const { raw, session } = arrival;
    if (arrival.isOverLimit) return converse(raw, arrival);
    const identity = { session, address: raw.peer.address, tls: undefined };
    return loginService.admit(identity).then((refusal) =>
      refusal === undefined ? this.#awaitCommand(arrival) : converse(raw, arrival)
    );
  }

  #awaitCommand(arrival: Arrival): Promise<void> {
    const { raw, session, connected, settings } = arrival;
    const { loginTimeout } = settings;
    const line = positive(greeting({ session, at: connected.wall }, settings));
    const silent = this.#wait(arrival, {
      timeout: loginTimeout === 0 ? Infinity : loginTimeout * 1000,
      late: "login-timeout",
      farewell: DISPLACED,
    });
    return silent.said(encoder.encode(`${line}\r\n`)).then((said) => {
      if (typeof said === "string") return this.#disconnected(session, said);
      const serving = this.#options.converse(raw, arrival, said);
      this.#left(session);
      return serving;
    });
  }

  /** Shakes hands first. No handshake is begun before the client has said something. */
  async #secure(arrival: Arrival): Promise<void> {
    const { converse, loginService, handshakes } = this.#options;
    if (handshakes === undefined) {
      throw new TypeError("A port for TLS was opened without a certificate");
    }
    const { raw, session, slot } = arrival;
    const begun = performance.now();
    let reason: CloseReason = "tls-failed";
    let connection;
    this.#begin(raw);
    try {
      const silent = this.#wait(arrival, { timeout: HANDSHAKE_MS, late: reason });
      const said = await silent.said();
      if (typeof said === "string") {
        if (said !== "client-gone") reason = said;
        throw new HandshakeError(`The client said nothing (${said}).`, "client said nothing");
      }
      this.#silent.delete(session);
      slot.giveWay = () => {
        reason = "displaced";
        raw[Symbol.dispose]();
      };
      const left = Math.max(1, HANDSHAKE_MS - (performance.now() - begun));
      connection = await handshakes.accept(new PrefixedConnection(raw, said), left);
      loginService.observe({ type: "tls", session, version: connection.tls?.version, ok: true });
    } catch (error) {
      const why = error instanceof HandshakeError ? error.reason : undefined;
      loginService.observe({ type: "tls", session, version: undefined, ok: false, reason: why });
      this.#disconnected(session, reason);
      return this.#done(raw);
    }
    const serving = converse(connection, arrival);
    this.#done(raw);
    await serving;
  }

  #wait(
    { raw, session, slot }: Arrival,
    { timeout, late, farewell }: { timeout: number; late: CloseReason; farewell?: Refusal },
  ): SilentClient {
    const { loginService, stalls } = this.#options;
    const silent = new SilentClient({
      connection: raw,
      deadline: performance.now() + timeout,
      late,
      clock: stalls,
      wrote: (octets) => loginService.observe({ type: "sent", session, octets }),
    });
    slot.giveWay = () => silent.dismiss("displaced", farewell);
    this.#silent.set(session, silent);
    if (this.#isOver) silent.close("shutdown");
    return silent;
  }

  #disconnected(session: string, reason: CloseReason): void {
    const at = this.#options.clock.wall();
    this.#options.loginService.observe({ type: "disconnected", session, at, reason });
    this.#left(session);
  }

  #left(session: string): void {
    this.#silent.delete(session);
    if (this.empty) this.#options.emptied();
  }

  #begin(connection: Connection): void {
    this.#busy.add(connection);
    if (this.#isOver) connection[Symbol.dispose]();
  }

  #done(connection: Connection): void {
    this.#busy.delete(connection);
    if (this.empty) this.#options.emptied();
  }
}
