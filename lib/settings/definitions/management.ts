/** The management port and who may use it. */

import type { Definitions } from "../definition.ts";
import { address } from "../types/addresses.ts";
import { port, wholeNumber } from "../types/numbers.ts";
import { userAndPassword } from "../types/secrets.ts";
import { listOf } from "../types/value_type.ts";

export const management = {
  adminListen: {
    type: listOf(address),
    default: ["127.0.0.1", "::1"],
    defaultText: "loopback",
    letter: "L",
    takesEffect: "next start",
    help: "address for management",
  },
  adminPort: {
    type: port,
    default: 4321,
    letter: "P",
    takesEffect: "next start",
    help: "port for management",
  },
  peepListen: {
    type: listOf(address),
    default: [],
    defaultText: "off",
    takesEffect: "next start",
    help: "address for PEEP, an older management protocol without TLS; off unless given",
  },
  peepPort: {
    type: port,
    default: 2110,
    takesEffect: "next start",
    help: "port for PEEP",
  },
  admin: {
    type: listOf(userAndPassword),
    default: [],
    defaultText: "none",
    letter: "a",
    environment: false,
    takesEffect: "next start",
    help: "administrator; NAME:@FILE reads the password from a file",
  },
  adminTimeout: {
    type: wholeNumber({ min: 1, max: 604_800, unit: "seconds", zero: "never" }),
    default: 600,
    takesEffect: "next start",
    help: "seconds of inactivity before a management connection is closed",
  },
} as const satisfies Partial<Definitions>;
