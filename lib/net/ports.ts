/** Finds out which addresses and ports the workers will listen on, before there are any workers. */

import type { ListenOptions } from "./endpoint.ts";
import { ListenError } from "./start_error.ts";
import { ANY_IPV4, ANY_IPV6, isAny, wideFirst } from "./wildcard_first.ts";

/** What was found. */
export interface Ports {
  readonly listen: readonly ListenOptions[];
  /** Whether all interfaces were asked for and the machine has no IPv6. */
  readonly withoutIpv6: boolean;
}

/** Opens a port for a moment, as `Deno.listen` does. */
export type ProbeListen = (where: { hostname: string; port: number }) => Deno.TcpListener;

/**
 * Tries each address for a moment, without letting others listen beside: workers share their ports, and would share them with
 * a stranger, too.
 *
 * @param addresses empty for all interfaces
 * @param port 0 for any free one, which is then the same for all addresses
 * @param listen in place of the system, for tests
 * @throws {ListenError} when one cannot be opened
 */
export function findPorts(
  addresses: readonly string[],
  port: number,
  listen: ProbeListen = Deno.listen,
): Ports {
  using probe = new Probe(port, listen);
  if (addresses.length > 0) {
    for (const hostname of wideFirst(addresses)) {
      // What all interfaces' socket takes is ours: with another program's beside it, that one had not opened.
      if (probe.opened.some((opened) => isAny(opened.hostname))) probe.openBesides(hostname);
      else probe.open(hostname);
    }
    return { listen: probe.opened, withoutIpv6: false };
  }
  if (!probe.tryIpv6()) {
    probe.open(ANY_IPV4);
    return { listen: probe.opened, withoutIpv6: true };
  }
  probe.openBesides(ANY_IPV4);
  return { listen: probe.opened, withoutIpv6: false };
}

class Probe implements Disposable {
  readonly #listeners: Deno.TcpListener[] = [];
  readonly #opened: ListenOptions[] = [];
  readonly #listenAt: ProbeListen;
  #port: number;

  constructor(port: number, listen: ProbeListen) {
    this.#port = port;
    this.#listenAt = listen;
  }

  get opened(): readonly ListenOptions[] {
    return this.#opened;
  }

  open(hostname: string): void {
    try {
      this.#listen(hostname);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const where = { hostname, port: this.#port };
      throw new ListenError({ name: error.name, message: error.message, where });
    }
  }

  /** Opens all interfaces of IPv6. Returns false where the machine has none. */
  tryIpv6(): boolean {
    try {
      this.#listen(ANY_IPV6);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.PermissionDenied) {
        this.open(ANY_IPV6);
      }
      return false;
    }
  }

  /** Opens an address that the socket of IPv6 may serve already. */
  openBesides(hostname: string): void {
    try {
      this.#listen(hostname);
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const listener of this.#listeners) listener.close();
  }

  #listen(hostname: string): void {
    const listener = this.#listenAt({ hostname, port: this.#port });
    this.#listeners.push(listener);
    const { port } = listener.addr;
    this.#port = port;
    this.#opened.push({ hostname, port, reusePort: true });
  }
}
