/** Where mail lies, and how POP3 serves it. */

import type { Definitions } from "../definition.ts";
import { wholeNumber } from "../types/numbers.ts";
import { lmtpPlace, network } from "../types/addresses.ts";
import { fileIds, place } from "../types/places.ts";
import { octets } from "../types/sizes.ts";
import { choice, domain, folder, folderSeparator, onOff } from "../types/texts.ts";
import { listOf, optional } from "../types/value_type.ts";

export const mail = {
  maildir: {
    type: folder,
    default: "./mail",
    letter: "d",
    takesEffect: "next session",
    session: true,
    help: "folder of the mailboxes",
  },
  mailbox: {
    type: optional(place),
    default: undefined,
    defaultText: "`USER`, or `DOMAIN/NAME` where the folder `DOMAIN` exists",
    takesEffect: "next start",
    session: true,
    help:
      "where mailboxes lie: a path below the mail folder or the user's home, or an absolute one, with Dovecot's variables",
  },
  homes: {
    type: listOf(folder),
    default: [],
    defaultText: "none",
    takesEffect: "next start",
    session: true,
    help: "folder of homes, in which mailboxes may lie besides the mail folder",
  },
  folderSeparator: {
    type: optional(folderSeparator),
    default: undefined,
    defaultText: "off",
    takesEffect: "next start",
    help: "with /, the user name ada/Junk opens the folder .Junk of ada's Maildir",
  },
  quota: {
    type: octets,
    default: 0,
    takesEffect: "next start",
    session: true,
    help: "octets of mail per user; beyond it, deliveries are refused",
  },
  trash: {
    type: wholeNumber({ min: 1, max: 36_500, unit: "days", zero: "off" }),
    default: 0,
    takesEffect: "next start",
    session: true,
    help: "days that deleted messages are kept, so that an administrator can restore them",
  },
  deletes: {
    type: choice(["allow", "refuse", "keep"]),
    default: "allow",
    takesEffect: "next start",
    session: true,
    help:
      "what DELE does: allow; refuse it; or keep the messages on the server, and hide them from that session only",
  },
  logDeletes: {
    type: onOff,
    default: false,
    takesEffect: "next start",
    session: true,
    help: "log a line for each message that is removed",
  },
  lmtp: {
    type: optional(lmtpPlace),
    default: undefined,
    defaultText: "off",
    takesEffect: "next start",
    help: "take mail from the machine's mail server by LMTP (RFC 2033)",
  },
  lmtpNetworks: {
    type: listOf(network),
    default: [],
    defaultText: "loopback alone",
    takesEffect: "next start",
    help: "networks besides loopback that may deliver by LMTP",
  },
  maxMessageSize: {
    type: octets,
    default: 100 * 1024 * 1024,
    takesEffect: "next start",
    help: "octets of a message that is delivered",
  },
  ids: {
    type: fileIds,
    default: "keep",
    takesEffect: "next start",
    session: true,
    help: "owner of the files that the server makes while it runs as root; keep: the folder's",
  },
  defaultDomain: {
    type: optional(domain),
    default: undefined,
    defaultText: "none",
    takesEffect: "next start",
    session: true,
    help: "domain of user names without @",
  },
  expire: {
    type: wholeNumber({ min: 1, max: 36_500, unit: "days", zero: "never" }),
    default: 0,
    takesEffect: "next session",
    session: true,
    help: "days a message is kept after it was first retrieved",
  },
  maxMessages: {
    type: wholeNumber({ min: 1, max: 2_147_483_647, zero: "all" }),
    default: 0,
    takesEffect: "next session",
    session: true,
    help: "serve only the first N messages of a mailbox",
  },
  noFlagUpdates: {
    type: onOff,
    default: false,
    takesEffect: "next start",
    session: true,
    help: "do not mark retrieved messages as seen",
  },
  enableLast: {
    type: onOff,
    default: false,
    takesEffect: "next start",
    session: true,
    help: "serve LAST (RFC 1225)",
  },
} as const satisfies Partial<Definitions>;
