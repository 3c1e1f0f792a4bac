/** Opens one port at several addresses. */

import { ListenError } from "./start_error.ts";
import { isAny, wideFirst } from "./wildcard_first.ts";

/** Something that listens. */
export interface Listening extends Disposable {
  readonly address: Deno.NetAddr;
}

/** How often any free port is asked for: one that is free at the first address may be taken at the second. */
const TRIES = 20;

const LOOPBACK_IPV6 = "::1";

/**
 * Opens a port at each address, or at none.
 *
 * @param addresses `::1` beside others is left out on a machine without IPv6, and what all interfaces' socket takes is not opened again
 * @param port 0 for any that is free at all of them
 * @param open opens it at one address
 * @throws {ListenError} when one cannot be opened
 */
export function listenTogether<T extends Listening>(
  addresses: readonly string[],
  port: number,
  open: (hostname: string, port: number) => T,
): readonly T[] {
  for (let tries = 1;; tries++) {
    try {
      return openAll(addresses, port, open);
    } catch (error) {
      const again = port === 0 && tries < TRIES && error instanceof ListenError &&
        error.systemError === "AddrInUse";
      if (!again) throw error;
    }
  }
}

function openAll<T extends Listening>(
  addresses: readonly string[],
  port: number,
  open: (hostname: string, port: number) => T,
): readonly T[] {
  using opened = new DisposableStack();
  const listeners: T[] = [];
  for (const hostname of wideFirst(addresses)) {
    const asked = listeners[0]?.address.port ?? port;
    try {
      listeners.push(opened.use(open(hostname, asked)));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (hostname === LOOPBACK_IPV6 && listeners.length > 0 && lacksIpv6(error)) continue;
      // With another program's socket beside it, that for all interfaces had not opened.
      const isOurs = listeners.some(({ address }) => isAny(address.hostname));
      if (isOurs && error instanceof Deno.errors.AddrInUse) continue;
      const where = { hostname, port: asked };
      throw new ListenError({ name: error.name, message: error.message, where });
    }
  }
  opened.move();
  return listeners;
}

/** EADDRNOTAVAIL where the interface has no such address, EAFNOSUPPORT where the system has no IPv6 at all. */
function lacksIpv6(error: Error): boolean {
  return error instanceof Deno.errors.AddrNotAvailable ||
    /os error 97|not supported/i.test(error.message);
}
