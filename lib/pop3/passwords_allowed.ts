/** Where a client may log in without TLS. */

import type { Pop3Context } from "./context.ts";

/** Whether this connection may carry credentials (RFC 8314; operations.md, `--require-tls`, `--cleartext-networks`). */
export function passwordsAllowed(context: Pop3Context): boolean {
  return context.secure || context.services.clearAllowed;
}

/** What a client is told where it may not. */
export function tlsFirst({ services }: Pop3Context): string {
  const way = services.tlsOffered ? ", say STLS first" : "";
  return `TLS is required for logins${way}`;
}
