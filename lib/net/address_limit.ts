/** `max_connections_per_ip`: whether a client's address has room for another connection. */

import type { AddressConnections } from "./address_connections.ts";
import type { ConnectionSlot } from "../contracts/connection_slots.ts";
import { isLoopback } from "./networks.ts";

/** Refusals that are said in all form at once; to more of them nobody listens, and they end at once. */
const MOST_REFUSALS = 16;

/** How many connections one address may have. */
export interface AddressShare {
  /** 0 is any number. */
  readonly most: number;
  /** Whether that applies to loopback, too. */
  readonly loopback: boolean;
}

/** What becomes of a connection: it is served, refused by its greeting, or closed without ado. */
export type Admission = "served" | "refused" | "closed";

/** Counts the connections of each address, as this thread's part of what all threads count. */
export class AddressLimit {
  readonly #connections: AddressConnections;
  #refusals = 0;

  constructor(connections: AddressConnections) {
    this.#connections = connections;
  }

  /**
   * Counts a connection until its slot is given back. One that is refused does not count.
   *
   * @param address the client's
   * @param share what it may have now
   */
  enter(address: string, slot: ConnectionSlot, { most, loopback }: AddressShare): Admission {
    const { cell, count } = this.#connections.enter(address);
    if (most === 0 || count <= most || (!loopback && isLoopback(address))) {
      slot.freed = () => this.#connections.leave(cell);
      return "served";
    }
    this.#connections.leave(cell);
    if (this.#refusals >= MOST_REFUSALS) return "closed";
    this.#refusals++;
    slot.freed = () => this.#refusals--;
    return "refused";
  }
}
