/** STLS (RFC 2595, section 4): turns to TLS. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Pop3Context } from "../context.ts";
import type { Authorization } from "../phases.ts";

/** The STLS command; it exists where there is a certificate, no TLS yet, and nobody logged in. */
export const stls = command<Authorization, void, Pop3Context>({
  name: "STLS",
  args: noArguments,
  available: ({ phase, secure, services }) =>
    services.tlsOffered && !secure && phase === "authorization",
  capability: () => "STLS",
  handle: () => ({ kind: "ok", text: "Begin TLS negotiation", effect: "start-tls" }),
});
