/** Certificates, and POP3S. */

import type { Definitions } from "../definition.ts";
import { port } from "../types/numbers.ts";
import { password } from "../types/secrets.ts";
import { file } from "../types/texts.ts";
import { listOf, optional } from "../types/value_type.ts";

export const tls = {
  tlsCert: {
    type: listOf(file),
    default: [],
    defaultText: "off",
    takesEffect: "next start",
    help: "PEM certificate with its chain; repeat for more host names",
  },
  tlsKey: {
    type: listOf(file),
    default: [],
    defaultText: "off",
    takesEffect: "next start",
    help: "PEM private key; one per certificate, in the same order",
  },
  tlsPfx: {
    type: optional(file),
    default: undefined,
    defaultText: "off",
    takesEffect: "next start",
    help: "PKCS#12 file with certificate and key",
  },
  tlsPass: {
    type: optional(password),
    default: undefined,
    defaultText: "none",
    takesEffect: "next start",
    help: "file with the password of --tls-pfx",
  },
  tlsPort: {
    type: port,
    default: 995,
    takesEffect: "next start",
    help: "port for POP3S; opened when there is a certificate",
  },
} as const satisfies Partial<Definitions>;
