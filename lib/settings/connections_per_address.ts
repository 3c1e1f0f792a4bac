/** How many connections one client address may have: what `max_connections_per_ip` means where it is not set. */

import type { Settings } from "../contracts/settings.ts";

/** The share of `max_connections` that one address may have. */
const SHARE = 1 / 4;

/** How many connections one client address may have, 0 for any number; and whether that applies to loopback, too. */
export function connectionsPerAddress(
  { maxConnections, maxConnectionsPerIp }: Pick<Settings, "maxConnections" | "maxConnectionsPerIp">,
): { readonly most: number; readonly loopback: boolean } {
  return maxConnectionsPerIp === undefined
    ? { most: Math.ceil(maxConnections * SHARE), loopback: false }
    : { most: maxConnectionsPerIp, loopback: true };
}
