/** Serves the management port: listens, and leads each connection through its dialogue. */

import { type Clock, systemClock } from "../async/clock.ts";
import { delay } from "../async/delay.ts";
import { Yielder } from "../async/yielder.ts";
import type { Connection } from "../contracts/connection.ts";
import type { ConnectionSlot } from "../contracts/connection_slots.ts";
import { AddressConnections } from "../net/address_connections.ts";
import { AddressLimit } from "../net/address_limit.ts";
import { Handshakes } from "../net/handshakes.ts";
import { Listener } from "../net/listener.ts";
import { isLoopback, NetworkList } from "../net/networks.ts";
import type { SecureContexts } from "../net/secure_contexts.ts";
import { SharedConnectionSlots } from "../net/shared_connection_slots.ts";
import type { Management } from "../contracts/management.ts";
import type { AuditEntry, MsmpSettings } from "./services.ts";
import { DISPLACED } from "./refusals.ts";
import { MsmpSession } from "./session.ts";
import type { CloseReason } from "../contracts/event.ts";
import { HandshakeFailures } from "../log/handshake_failures.ts";
import { logger } from "../log/logging.ts";
import type { Settings } from "../contracts/settings.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import { connectionsPerAddress } from "../settings/connections_per_address.ts";
import { Conversation } from "../wire/conversation.ts";
import { MANAGEMENT_CONNECTIONS, MANAGEMENT_RESERVE } from "../wire/limits.ts";
import { StallClock } from "../wire/stall_guard.ts";
import { writeAudit } from "./audit.ts";
import { DelayedAnswers } from "../wire/delayed_answers.ts";
import { listenTogether } from "../net/listen_together.ts";

const log = logger("msmp");

/** One address may have a quarter of the connections, loopback excepted. */
const SHARES = connectionsPerAddress({
  maxConnections: MANAGEMENT_CONNECTIONS,
  maxConnectionsPerIp: undefined,
});

/** The settings that the management port goes by. */
export type MsmpHostSettings = MsmpSettings & Pick<Settings, "requireTls" | "cleartextNetworks">;

/** What management connections are made from. */
export interface MsmpHostOptions {
  readonly management: Management;
  /** In force now; a connection keeps what it began with. */
  readonly settings: () => MsmpHostSettings;
  readonly version: string;
  /** Certificates for STLS; without them there is none. */
  readonly contexts?: SecureContexts | undefined;
  /** Shares the thread between long work and everything else. @default {a new one} */
  readonly yielder?: Yielder;
  /** @default {writeAudit} */
  readonly audit?: (entry: AuditEntry) => void;
  /** @default {systemClock} */
  readonly clock?: Clock;
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** The management connections, and the ports that bring them. */
export class MsmpHost {
  readonly #options: MsmpHostOptions;
  readonly #yielder: Yielder;
  readonly #slots = SharedConnectionSlots.ofOneThread(MANAGEMENT_CONNECTIONS, {
    reserve: MANAGEMENT_RESERVE,
  });
  readonly #limit = new AddressLimit(AddressConnections.ofOneThread());
  readonly #handshakes: Handshakes | undefined;
  readonly #stalls = new StallClock();
  readonly #delayed = new DelayedAnswers();
  readonly #failedHandshakes = new HandshakeFailures(log);
  #listeners: readonly Listener[] = [];
  /** Connections, with the administrator once one has logged in. */
  readonly #connections = new Map<Conversation, { administrator?: string }>();
  #emptied: (() => void) | undefined;

  constructor(options: MsmpHostOptions) {
    this.#options = options;
    this.#yielder = options.yielder ?? new Yielder();
    this.#handshakes = options.contexts && new Handshakes(options.contexts);
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Opens the port at each address; nobody is served before {@linkcode MsmpHost.start}.
   *
   * @param port 0 for any free one, the same for all addresses
   * @returns what is open
   * @throws {ListenError} when one cannot be opened
   */
  listen(addresses: readonly string[], port: number): readonly Deno.NetAddr[] {
    this.#listeners = listenTogether(addresses, port, (hostname, port) =>
      new Listener({
        hostname,
        port,
        ...this.#upgrade(),
        slots: this.#slots,
        yielder: this.#yielder,
        serve: (connection, slot) => this.#serve(connection, slot),
        fault: (error) => log.error("Cannot accept management connections: {error}", { error }),
      }));
    return this.#listeners.map(({ address }) => address);
  }

  /** Begins to serve. */
  start(): void {
    for (const listener of this.#listeners) listener.run();
  }

  /** Leads one connection through its dialogue. Never rejects. */
  async serve(connection: Connection): Promise<void> {
    const slot = this.#slots.enter(() => connection[Symbol.dispose]());
    await this.#serve(connection, slot);
    slot.free();
  }

  async #serve(connection: Connection, slot: ConnectionSlot): Promise<void> {
    const { management, settings, version, audit = writeAudit } = this.#options;
    const { clock = systemClock, pause = waitFor } = this.#options;
    const { address } = connection.peer;
    const inForce = settings();
    const admission = this.#limit.enter(address, slot, SHARES);
    if (admission === "closed") return connection[Symbol.dispose]();
    const facts: { administrator?: string } = {};
    const session = new MsmpSession({
      management,
      settings: inForce,
      address,
      isOverLimit: admission === "refused",
      clearAllowed: this.#clearAllowed(inForce, address),
      tlsOffered: connection.startTls !== undefined,
      version,
      audit,
      entered: (administrator) => {
        facts.administrator = administrator;
        log.info("Administrator {administrator} logged in from {address}", {
          administrator,
          address,
        });
      },
      dismiss: (administrator) => this.#dismiss(administrator, conversation),
      explain,
      handshakeFailed: (reason) => this.#failedHandshakes.failed({ address, reason }),
      ended: (reason) =>
        log.debug("Connection from {address} closed: {reason}", { address, reason }),
      clock,
      keepSlot: (gone) => slot.keep(gone),
      penalty: (milliseconds, gone) =>
        this.#delayed.hold({
          address,
          milliseconds,
          gone,
          slot,
          end: () => conversation.close("client-gone"),
        }),
      pause,
      yielder: this.#yielder,
    }, connection.tls);
    const conversation = new Conversation(
      connection,
      session,
      (error) => log.error("A management connection failed: {error}", { address, error }),
      this.#stalls,
      this.#yielder,
    );
    slot.giveWay = () => conversation.dismiss("displaced", DISPLACED);
    log.debug("{address} connected", { address });
    this.#connections.set(conversation, facts);
    try {
      await conversation.run();
    } finally {
      this.#connections.delete(conversation);
      if (this.#connections.size === 0) this.#emptied?.();
    }
  }

  /** Accepts no more; connections that are there go on. */
  stopListening(): void {
    for (const listener of this.#listeners) listener[Symbol.dispose]();
    this.#listeners = [];
  }

  /** Accepts no more, ends all connections, and waits until they have ended. */
  async close(reason: CloseReason = "shutdown"): Promise<void> {
    this.stopListening();
    if (this.#connections.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#emptied = resolve;
    for (const conversation of this.#connections.keys()) conversation.close(reason);
    await promise;
  }

  /** `--cleartext-networks` keeps logins in clear to some networks where there is TLS to turn to; loopback is on no network. */
  #clearAllowed({ requireTls, cleartextNetworks }: MsmpHostSettings, address: string): boolean {
    if (requireTls) return false;
    if (cleartextNetworks === undefined || this.#options.contexts === undefined) return true;
    return isLoopback(address) || new NetworkList(cleartextNetworks).holds(address);
  }

  #dismiss(name: string, but: Conversation): void {
    for (const [conversation, { administrator }] of this.#connections) {
      if (administrator === name && conversation !== but) conversation.close("kicked");
    }
  }

  #upgrade(): { upgrade?: (connection: Connection) => Promise<Connection> } {
    const handshakes = this.#handshakes;
    return handshakes === undefined ? {} : { upgrade: (raw) => handshakes.accept(raw) };
  }
}

/** Trouble with the state file, such as a full disk, is the administrator's to mend. */
function explain(error: unknown): string | undefined {
  if (!(error instanceof StateStoreError)) return undefined;
  log.error("The state cannot be used: {error}", { error });
  return error.message;
}

async function waitFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
