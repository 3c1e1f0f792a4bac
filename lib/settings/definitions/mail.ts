/** Where mail lies, and how POP3 serves it. */

import type { Definitions } from "../definition.ts";
import { wholeNumber } from "../types/numbers.ts";
import { domain, folder, onOff } from "../types/texts.ts";
import { optional } from "../types/value_type.ts";

export const mail = {
  maildir: {
    type: folder,
    default: "./mail",
    letter: "d",
    takesEffect: "next session",
    session: true,
    help: "folder of the mailboxes",
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
