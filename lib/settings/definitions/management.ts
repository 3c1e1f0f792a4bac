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
    help: "address for management",
  },
  adminPort: { type: port, default: 4321, letter: "P", help: "port for management" },
  admin: {
    type: listOf(userAndPassword),
    default: [],
    defaultText: "none",
    letter: "a",
    environment: false,
    help: "an administrator; NAME:@FILE reads the password from a file",
  },
  adminTimeout: {
    type: wholeNumber({ min: 1, max: 604_800, unit: "seconds", zero: "never" }),
    default: 600,
    help: "until an idle management connection is closed",
  },
} as const satisfies Partial<Definitions>;
