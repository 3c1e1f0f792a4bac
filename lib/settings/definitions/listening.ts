/** Where the server listens, and what it calls itself. */

import type { Definitions } from "../definition.ts";
import { address, addressAndPort, network } from "../types/addresses.ts";
import { port } from "../types/numbers.ts";
import { choice, greetingText, serverName } from "../types/texts.ts";
import { listOf, optional } from "../types/value_type.ts";

export const listening = {
  listen: {
    type: listOf(address),
    default: [],
    defaultText: "all interfaces, IPv4 and IPv6",
    letter: "l",
    takesEffect: "next start",
    help: "address for POP3",
  },
  port: { type: port, default: 110, letter: "p", takesEffect: "next start", help: "port for POP3" },
  serverName: {
    type: serverName,
    default: (machine) => machine.hostName,
    defaultText: "the host's name",
    takesEffect: "next start",
    session: true,
    help: "name in the greetings and in log lines",
  },
  greeting: {
    type: optional(greetingText),
    default: undefined,
    defaultText: "NAME Postern POP3 ready",
    takesEffect: "next start",
    session: true,
    help: "text of the POP3 greeting behind +OK; APOP's timestamp follows it",
  },
  greetingStyle: {
    type: choice(["plain", "friendly"]),
    default: "plain",
    takesEffect: "next start",
    session: true,
    help: "friendly: greet users by the name they gave, whether or not they exist",
  },
  proxyProtocol: {
    type: listOf(network),
    default: [],
    defaultText: "off",
    takesEffect: "next start",
    session: true,
    help:
      "trusted proxies (CIDR); their connections must start with a PROXY protocol header (v1 or v2)",
  },
  http: {
    type: optional(addressAndPort),
    default: undefined,
    defaultText: "off",
    takesEffect: "next start",
    help: "serve /healthz, /readyz, /metrics and the dashboard",
  },
} as const satisfies Partial<Definitions>;
