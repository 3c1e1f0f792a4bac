/** Who may read mail, and how logins are checked. */

import type { Definitions } from "../definition.ts";
import { network } from "../types/addresses.ts";
import { wholeNumber } from "../types/numbers.ts";
import { userAndPassword } from "../types/secrets.ts";
import { choice, delimiter, file, hook, onOff, printable } from "../types/texts.ts";
import { listOf, optional } from "../types/value_type.ts";

export const users = {
  user: {
    type: listOf(userAndPassword),
    default: [],
    defaultText: "none",
    letter: "u",
    environment: false,
    takesEffect: "next start",
    help:
      "user; NAME:@FILE reads the password from a file, a password that begins with @ is written @@…",
  },
  users: {
    type: optional(file),
    default: undefined,
    defaultText: "none",
    takesEffect: "next start",
    help:
      "passwd file as Dovecot has it, one NAME:{SCHEME}DATA line per user; read again when it changes",
  },
  authHook: {
    type: optional(hook),
    default: undefined,
    defaultText: "off",
    takesEffect: "next start",
    help: "ask this about users whom neither the state nor the users file has, in JSON: docs/hooks",
  },
  authCache: {
    type: wholeNumber({ min: 1, max: 86_400, unit: "seconds", zero: "off" }),
    default: 60,
    takesEffect: "next start",
    help: "seconds that a login which the hook granted is granted again without asking",
  },
  authHookTimeout: {
    type: wholeNumber({ min: 1, max: 300, unit: "seconds" }),
    default: 5,
    takesEffect: "next start",
    help: "seconds that the hook may take; a login then fails as temporary",
  },
  names: {
    type: choice(["exact", "lower"]),
    default: "exact",
    takesEffect: "next start",
    session: true,
    help:
      "exact: the case of a user name counts, that of its domain never does; lower: neither does",
  },
  recipientDelimiter: {
    type: optional(delimiter),
    default: undefined,
    defaultText: "none",
    takesEffect: "next start",
    session: true,
    help: "ignore what follows this character in a user name: with +, ada+shop is ada",
  },
  pwdFiles: {
    type: onOff,
    default: false,
    takesEffect: "next start",
    help:
      "users of an older layout: a user is a folder of the mail folder, the name of its *.pwd file the password",
    warn: (value) =>
      value
        ? "lets file names be passwords, which whoever lists the mail folder reads; postern user import DIR makes keys of them"
        : undefined,
  },
  maxUsers: {
    type: wholeNumber({ min: 1, max: 2_147_483_647, zero: "no limit" }),
    default: 0,
    takesEffect: "now",
    help: "maximum number of users that can be added over the management port",
  },
  loginDelay: {
    type: wholeNumber({ min: 1, max: 604_800, unit: "seconds", zero: "off" }),
    default: 0,
    takesEffect: "now",
    session: true,
    help: "minimum seconds between two logins of the same user",
  },
  authDelay: {
    type: wholeNumber({ min: 1, max: 3_600, unit: "seconds", zero: "no delays" }),
    default: 1,
    takesEffect: "now",
    help: "delay after the first failed login; it grows with each further one",
  },
  authDelayMax: {
    type: wholeNumber({ min: 0, max: 3_600, unit: "seconds" }),
    default: 15,
    takesEffect: "now",
    help: "longest delay after a failed login",
  },
  banFailures: {
    type: wholeNumber({ min: 1, max: 1000, zero: "no bans" }),
    default: 20,
    takesEffect: "now",
    help: "failed logins within ban_window that ban an address",
  },
  banWindow: {
    type: wholeNumber({ min: 1, max: 86_400, unit: "seconds", zero: "no bans" }),
    default: 600,
    takesEffect: "now",
    help: "seconds for which a failed login counts",
  },
  banTime: {
    type: wholeNumber({ min: 1, max: 31_536_000, unit: "seconds", zero: "no bans" }),
    default: 900,
    takesEffect: "now",
    help: "seconds that a ban lasts",
  },
  trustedNetworks: {
    type: listOf(network),
    default: [],
    defaultText: "none",
    takesEffect: "next start",
    help:
      "networks whose addresses are never banned for failed logins; their users are, one by one",
  },
  apop: {
    type: onOff,
    default: false,
    takesEffect: "next start",
    session: true,
    help: "offer APOP to users that --users FILE lists as {PLAIN}",
  },
  requireTls: {
    type: onOff,
    default: false,
    takesEffect: "next start",
    session: true,
    help: "refuse cleartext logins, on POP3 and on the management port",
  },
  cleartextNetworks: {
    type: optional(listOf(network)),
    default: undefined,
    defaultText: "everywhere",
    takesEffect: "next start",
    session: true,
    help:
      "networks from which cleartext logins are accepted although there is a certificate, PLAIN and LOGIN among them",
  },
  oauthIssuer: {
    type: optional(printable("URL", "the issuer as tokens name it")),
    default: undefined,
    defaultText: "off",
    takesEffect: "next start",
    help: "issuer of the bearer tokens for OAUTHBEARER and XOAUTH2",
  },
  oauthAudience: {
    type: optional(printable("NAME", "the audience as tokens name it")),
    default: undefined,
    defaultText: "none",
    takesEffect: "next start",
    help: "audience that a token must be issued for; required with --oauth-issuer",
  },
  oauthJwks: {
    type: optional(printable("FILE|URL", "a file or a URL")),
    default: undefined,
    defaultText: "none",
    takesEffect: "next start",
    help: "the issuer's public keys",
  },
  oauthUserClaim: {
    type: printable("NAME", "the name of a claim"),
    default: "email",
    takesEffect: "next start",
    help: "token claim that holds the user name",
  },
} as const satisfies Partial<Definitions>;
