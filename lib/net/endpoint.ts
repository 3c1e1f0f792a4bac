/** Addresses as they are shown, counted and compared. */

import type { Endpoint } from "../contracts/connection.ts";

/** Where to listen. */
export interface ListenOptions {
  readonly hostname: string;
  readonly port: number;
  readonly reusePort?: boolean;
  /** Whether TLS begins with the first octet (RFC 8314, section 3). */
  readonly tls?: boolean;
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** Gives an IPv4 address that a dual-stack socket shows as IPv6 (`::ffff:192.0.2.7`) in its own form. */
export function plainAddress(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address;
}

/** The endpoint of a socket address. */
export function endpointOf(address: Deno.NetAddr): Endpoint {
  return { address: plainAddress(address.hostname), port: address.port };
}

/** Writes an endpoint as people do: `192.0.2.7:110`, `[2001:db8::1]:110`. */
export function endpointText(endpoint: Endpoint): string {
  return endpoint.address.includes(":")
    ? `[${endpoint.address}]:${endpoint.port}`
    : `${endpoint.address}:${endpoint.port}`;
}
