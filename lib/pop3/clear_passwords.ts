/** Where a password may be sent as it is. */

import type { Pop3Context } from "./context.ts";

/** Whether this connection may carry a password that others on the way could read (RFC 8314; operations.md, `--require-tls`). */
export function clearPasswordsAllowed(context: Pop3Context): boolean {
  return context.secure || !context.services.settings.requireTls;
}
