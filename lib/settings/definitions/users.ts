/** Who may read mail, and how logins are checked. */

import type { Definitions } from "../definition.ts";
import { network } from "../types/addresses.ts";
import { wholeNumber } from "../types/numbers.ts";
import { userAndPassword } from "../types/secrets.ts";
import { file, onOff, printable } from "../types/texts.ts";
import { listOf, optional } from "../types/value_type.ts";

export const users = {
  user: {
    type: listOf(userAndPassword),
    default: [],
    defaultText: "none",
    letter: "u",
    environment: false,
    help: "a user; NAME:@FILE reads the password from a file, a password that begins with @ is @@…",
  },
  users: {
    type: optional(file),
    default: undefined,
    defaultText: "none",
    help: "passwd-file, a line NAME:{SCHEME}DATA a user; read again on SIGHUP",
  },
  maxUsers: {
    type: wholeNumber({ min: 1, max: 2_147_483_647, zero: "no limit" }),
    default: 0,
    live: true,
    help: "users that management may add",
  },
  loginDelay: {
    type: wholeNumber({ min: 1, max: 604_800, unit: "seconds", zero: "off" }),
    default: 0,
    live: true,
    help: "least time between two logins of a user",
  },
  authDelay: {
    type: wholeNumber({ min: 1, max: 3_600, unit: "seconds", zero: "no delays" }),
    default: 1,
    live: true,
    help: "delay of the first failed login, from which it grows",
  },
  authDelayMax: {
    type: wholeNumber({ min: 0, max: 3_600, unit: "seconds" }),
    default: 15,
    live: true,
    help: "longest delay of a failed login",
  },
  apop: {
    type: onOff,
    default: false,
    help: "serve APOP, for users that --users FILE gives as {PLAIN}",
  },
  requireTls: {
    type: onOff,
    default: false,
    help: "take no credentials in clear, on POP3 as on the management port",
  },
  cleartextNetworks: {
    type: optional(listOf(network)),
    default: undefined,
    defaultText: "everywhere",
    help: "with a certificate: where a login in clear is still allowed",
  },
  oauthIssuer: {
    type: optional(printable("URL", "the issuer as tokens name it")),
    default: undefined,
    defaultText: "off",
    help: "issuer of the bearer tokens that OAUTHBEARER and XOAUTH2 take",
  },
  oauthAudience: {
    type: optional(printable("NAME", "the audience as tokens name it")),
    default: undefined,
    defaultText: "none",
    help: "audience that a token must be for; needed with --oauth-issuer",
  },
  oauthJwks: {
    type: optional(printable("FILE|URL", "a file or a URL")),
    default: undefined,
    defaultText: "none",
    help: "the issuer's public keys",
  },
  oauthUserClaim: {
    type: printable("NAME", "the name of a claim"),
    default: "email",
    help: "claim of a token that names the user",
  },
} as const satisfies Partial<Definitions>;
