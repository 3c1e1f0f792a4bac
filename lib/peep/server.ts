/** Serves the port of PEEP: listens, and leads each connection through its dialogue. */

import { type Clock, systemClock } from "../async/clock.ts";
import type { Yielder } from "../async/yielder.ts";
import type { Connection } from "../contracts/connection.ts";
import type { ConnectionSlot } from "../contracts/connection_slots.ts";
import type { CloseReason } from "../contracts/event.ts";
import type { Management } from "../contracts/management.ts";
import type { Settings } from "../contracts/settings.ts";
import { logger } from "../log/logging.ts";
import { writeAudit } from "../msmp/audit.ts";
import { DISPLACED } from "../msmp/refusals.ts";
import type { MsmpSettings } from "../msmp/services.ts";
import { AddressConnections } from "../net/address_connections.ts";
import { AddressLimit } from "../net/address_limit.ts";
import { isLoopback } from "../net/networks.ts";
import { SharedConnectionSlots } from "../net/shared_connection_slots.ts";
import { connectionsPerAddress } from "../settings/connections_per_address.ts";
import { MANAGEMENT_CONNECTIONS, MANAGEMENT_RESERVE } from "../wire/limits.ts";
import { LineServer } from "../wire/line_server.ts";
import { LoginsInClear } from "../wire/logins_in_clear.ts";
import { PeepSession } from "./session.ts";

const log = logger("peep");

/** One address may have a quarter of the connections, loopback excepted. */
const SHARES = connectionsPerAddress({
  maxConnections: MANAGEMENT_CONNECTIONS,
  maxConnectionsPerIp: undefined,
});

/** What connections are made from. */
export interface PeepHostOptions {
  readonly management: Management;
  /** In force now. */
  readonly settings: () => MsmpSettings & Pick<Settings, "requireTls" | "cleartextNetworks">;
  /** Whether there is a certificate, so that passwords in clear are kept to some networks. */
  readonly hasCertificate: boolean;
  readonly yielder?: Yielder;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/** The PEEP connections, and the ports that bring them. */
export class PeepHost {
  readonly #options: PeepHostOptions;
  readonly #server: LineServer<object>;
  readonly #limit = new AddressLimit(AddressConnections.ofOneThread());
  readonly #inClear: LoginsInClear;

  constructor(options: PeepHostOptions) {
    this.#options = options;
    this.#inClear = new LoginsInClear(options.hasCertificate);
    this.#server = new LineServer({
      slots: SharedConnectionSlots.ofOneThread(MANAGEMENT_CONNECTIONS, {
        reserve: MANAGEMENT_RESERVE,
      }),
      yielder: options.yielder,
      serve: (connection, slot) => this.#serve(connection, slot),
      fault: (error) => log.error("Cannot accept PEEP connections: {error}", { error }),
    });
  }

  /**
   * Opens the port at each address; nobody is served before {@linkcode PeepHost.start}.
   *
   * @throws {ListenError} when one cannot be opened
   */
  listen(addresses: readonly string[], port: number): readonly Deno.NetAddr[] {
    return this.#server.listenTogether(addresses, port);
  }

  /** Begins to serve. */
  start(): void {
    this.#server.start();
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

  async #serve(connection: Connection, slot: ConnectionSlot): Promise<void> {
    const { address } = connection.peer;
    const admission = this.#limit.enter(address, slot, SHARES);
    if (admission === "closed") return connection[Symbol.dispose]();
    const { management, settings, clock = systemClock } = this.#options;
    const inForce = settings();
    await this.#server.converse({
      connection,
      slot,
      key: {},
      displaced: DISPLACED,
      fault: (error) => log.error("A PEEP connection failed: {error}", { address, error }),
      dialogue: ({ penalty }) =>
        new PeepSession({
          management,
          settings: inForce,
          address,
          isOverLimit: admission === "refused",
          clearAllowed: this.#inClear.of(inForce, address).clearAllowed ||
            (!inForce.requireTls && isLoopback(address)),
          audit: writeAudit,
          clock,
          keepSlot: (gone) => slot.keep(gone),
          penalty,
          ended: (reason) =>
            log.debug("Connection from {address} closed: {reason}", { address, reason }),
        }),
    });
  }
}
