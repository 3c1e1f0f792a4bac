/** STLS: begins TLS, before login. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { MsmpContext } from "../context.ts";
import type { Authorization } from "../phases.ts";

/** The STLS command; it exists where there is a certificate and TLS is not on already (as RFC 2595, section 4, has it for POP3). */
export const stls = command<Authorization, void, MsmpContext>({
  name: "STLS",
  args: noArguments,
  available: ({ secure, services }) => services.tlsOffered && !secure,
  // Not a promise: nothing may be read of the connection between this answer and the handshake.
  handle: () => ({ kind: "ok", text: "Begin TLS", effect: "start-tls" }),
});
