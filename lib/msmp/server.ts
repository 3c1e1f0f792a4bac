/** Serves the management port: listens, and leads each connection through its dialogue. */

import { type Clock, systemClock } from "../async/clock.ts";
import { delay } from "../async/delay.ts";
import type { Yielder } from "../async/yielder.ts";
import type { Connection } from "../contracts/connection.ts";
import type { ConnectionSlot } from "../contracts/connection_slots.ts";
import { AddressConnections } from "../net/address_connections.ts";
import { AddressLimit } from "../net/address_limit.ts";
import { LoginsInClear } from "../wire/logins_in_clear.ts";
import { isLoopback } from "../net/networks.ts";
import type { SecureContexts } from "../net/secure_contexts.ts";
import { SharedConnectionSlots } from "../net/shared_connection_slots.ts";
import type { Management } from "../contracts/management.ts";
import type { AuditEntry, MsmpServices, MsmpSettings } from "./services.ts";
import { DISPLACED } from "./refusals.ts";
import { MsmpSession } from "./session.ts";
import type { CloseReason } from "../contracts/event.ts";
import { HandshakeFailures } from "../log/handshake_failures.ts";
import { logger } from "../log/logging.ts";
import type { Settings } from "../contracts/settings.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import { connectionsPerAddress } from "../settings/connections_per_address.ts";
import { LineServer } from "../wire/line_server.ts";
import { MANAGEMENT_CONNECTIONS, MANAGEMENT_RESERVE } from "../wire/limits.ts";
import { writeAudit } from "./audit.ts";

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

/** A management connection, with its administrator once one has logged in. */
interface Visit {
  administrator?: string;
}

/** The management connections, and the ports that bring them. */
export class MsmpHost {
  readonly #options: MsmpHostOptions;
  readonly #server: LineServer<Visit>;
  readonly #visits = new Set<Visit>();
  readonly #limit = new AddressLimit(AddressConnections.ofOneThread());
  readonly #inClear: LoginsInClear;
  readonly #failedHandshakes = new HandshakeFailures(log);

  constructor(options: MsmpHostOptions) {
    this.#options = options;
    const { contexts, yielder } = options;
    this.#inClear = new LoginsInClear(contexts !== undefined);
    this.#server = new LineServer({
      slots: SharedConnectionSlots.ofOneThread(MANAGEMENT_CONNECTIONS, {
        reserve: MANAGEMENT_RESERVE,
      }),
      contexts,
      yielder,
      serve: (connection, slot) => this.#serve(connection, slot),
      fault: (error) => log.error("Cannot accept management connections: {error}", { error }),
    });
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#server.size;
  }

  /**
   * Opens the port at each address; nobody is served before {@linkcode MsmpHost.start}.
   *
   * @param port 0 for any free one, the same for all addresses
   * @returns what is open
   * @throws {ListenError} when one cannot be opened
   */
  listen(addresses: readonly string[], port: number): readonly Deno.NetAddr[] {
    return this.#server.listenTogether(addresses, port);
  }

  /** Begins to serve. */
  start(): void {
    this.#server.start();
  }

  /** Leads one connection through its dialogue. Never rejects. */
  serve(connection: Connection): Promise<void> {
    return this.#server.place(connection, (slot) => this.#serve(connection, slot));
  }

  async #serve(connection: Connection, slot: ConnectionSlot): Promise<void> {
    const { address } = connection.peer;
    const admission = this.#limit.enter(address, slot, SHARES);
    if (admission === "closed") return connection[Symbol.dispose]();
    log.debug("{address} connected", { address });
    const visit: Visit = {};
    this.#visits.add(visit);
    await this.#server.converse({
      connection,
      slot,
      key: visit,
      displaced: DISPLACED,
      fault: (error) => log.error("A management connection failed: {error}", { address, error }),
      dialogue: ({ penalty }) =>
        this.#session(visit, connection, {
          isOverLimit: admission === "refused",
          keepSlot: (gone) => slot.keep(gone),
          penalty,
        }),
    });
    this.#visits.delete(visit);
  }

  #session(
    visit: Visit,
    connection: Connection,
    ways: Pick<MsmpServices, "isOverLimit" | "keepSlot" | "penalty">,
  ): MsmpSession {
    const { management, settings, version, audit = writeAudit } = this.#options;
    const { clock = systemClock, pause = waitFor } = this.#options;
    const { address } = connection.peer;
    const inForce = settings();
    return new MsmpSession({
      ...ways,
      management,
      settings: inForce,
      address,
      clearAllowed: this.#clearAllowed(inForce, address),
      tlsOffered: connection.startTls !== undefined,
      version,
      audit,
      entered: (administrator) => {
        visit.administrator = administrator;
        log.info("Administrator {administrator} logged in from {address}", {
          administrator,
          address,
        });
      },
      dismiss: (administrator) => this.#dismiss(administrator, visit),
      explain,
      handshakeFailed: (reason) => this.#failedHandshakes.failed({ address, reason }),
      ended: (reason) =>
        log.debug("Connection from {address} closed: {reason}", { address, reason }),
      clock,
      pause,
      yielder: this.#server.yielder,
    }, connection.tls);
  }

  /** Accepts no more; connections that are there go on. */
  stopListening(): void {
    this.#server.stopListening();
  }

  /** Accepts no more, ends all connections, and waits until they have ended. */
  async close(reason: CloseReason = "shutdown"): Promise<void> {
    this.#server.end(reason);
    await this.#server.emptied();
  }

  /** Logins in clear can be kept to some networks; loopback is on no network. */
  #clearAllowed(settings: MsmpHostSettings, address: string): boolean {
    return this.#inClear.of(settings, address).clearAllowed ||
      (!settings.requireTls && isLoopback(address));
  }

  /** Ends an administrator's connections: another server has changed the password, or deleted the administrator. */
  dismiss(name: string): void {
    this.#dismiss(name, undefined);
  }

  #dismiss(name: string, but: Visit | undefined): void {
    for (const visit of this.#visits) {
      if (visit.administrator === name && visit !== but) this.#server.close(visit, "kicked");
    }
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
