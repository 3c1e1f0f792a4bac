/** How many sessions each address has (IPv6: each /64), for `max_connections_per_ip`. */

import { addressGroup } from "../net/networks.ts";

/** Counts sessions by address. */
export class AddressCounts {
  readonly #addresses = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  /** Notes a session. */
  enter(session: string, address: string): void {
    const group = addressGroup(address);
    this.#addresses.set(session, group);
    this.#counts.set(group, this.#ofGroup(group) + 1);
  }

  /** Forgets a session; a second time does nothing. */
  leave(session: string): void {
    const group = this.#addresses.get(session);
    if (group === undefined) return;
    this.#addresses.delete(session);
    const count = this.#ofGroup(group) - 1;
    if (count > 0) this.#counts.set(group, count);
    else this.#counts.delete(group);
  }

  /** How many sessions an address has, or for IPv6 its /64. */
  count(address: string): number {
    return this.#ofGroup(addressGroup(address));
  }

  #ofGroup(group: string): number {
    return this.#counts.get(group) ?? 0;
  }
}
