/** Where a password may be sent as it is. */

import type { Pop3Context } from "./context.ts";

/** Whether this connection may carry a password (RFC 8314; operations.md, `--require-tls`, `--cleartext-networks`). */
export function passwordsAllowed(context: Pop3Context): boolean {
  return context.secure || context.services.clearAllowed;
}
