/** Addresses to listen at, in the order in which they can be opened beside each other. */

/** Addresses for all interfaces: both families by one socket where the system does so. */
export const ANY_IPV6 = "::";
export const ANY_IPV4 = "0.0.0.0";

/** Whether an address stands for all interfaces. */
export function isAny(hostname: string): boolean {
  return hostname === ANY_IPV6 || hostname === ANY_IPV4;
}

/** Each address once: those for all interfaces first, and of these IPv6, which may serve IPv4 as well. */
export function wideFirst(addresses: readonly string[]): readonly string[] {
  const wide = [ANY_IPV6, ANY_IPV4].filter((any) => addresses.includes(any));
  return [...new Set([...wide, ...addresses])];
}
