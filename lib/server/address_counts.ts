/** How many sessions each address has, for `max_connections_per_ip`. */

/** Counts sessions by address. */
export class AddressCounts {
  readonly #addresses = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  /** Notes a session. */
  enter(session: string, address: string): void {
    this.#addresses.set(session, address);
    this.#counts.set(address, this.count(address) + 1);
  }

  /** Forgets a session; a second time does nothing. */
  leave(session: string): void {
    const address = this.#addresses.get(session);
    if (address === undefined) return;
    this.#addresses.delete(session);
    const count = this.count(address) - 1;
    if (count > 0) this.#counts.set(address, count);
    else this.#counts.delete(address);
  }

  /** How many sessions an address has. */
  count(address: string): number {
    return this.#counts.get(address) ?? 0;
  }
}
