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
    help: "certificate with its chain, PEM; further ones serve further host names",
  },
  tlsKey: {
    type: listOf(file),
    default: [],
    defaultText: "off",
    help: "the certificate's key, PEM; as many as certificates, in the same order",
  },
  tlsPfx: {
    type: optional(file),
    default: undefined,
    defaultText: "off",
    help: "certificate and key in one file, PKCS#12",
  },
  tlsPass: {
    type: optional(password),
    default: undefined,
    defaultText: "none",
    help: "password of --tls-pfx, in a file",
  },
  tlsPort: {
    type: port,
    default: 995,
    help: "port for POP3S, open once there is a certificate",
  },
} as const satisfies Partial<Definitions>;
