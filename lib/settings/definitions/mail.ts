/** Where mail lies, and how POP3 serves it. */

import type { Definitions } from "../definition.ts";
import { wholeNumber } from "../types/numbers.ts";
import { domain, folder, onOff } from "../types/texts.ts";
import { optional } from "../types/value_type.ts";

export const mail = {
  maildir: {
    type: folder,
    default: "./mail",
    live: true,
    letter: "d",
    help: "folder of the mailboxes",
  },
  defaultDomain: {
    type: optional(domain),
    default: undefined,
    defaultText: "none",
    help: "domain that a user name without @ is in",
  },
  expire: {
    type: wholeNumber({ min: 1, max: 36_500, unit: "days", zero: "never" }),
    default: 0,
    live: true,
    help: "days after its first RETR until a message is removed",
  },
  maxMessages: {
    type: wholeNumber({ min: 1, max: 2_147_483_647, zero: "all" }),
    default: 0,
    live: true,
    help: "serve the first N messages of a mailbox",
  },
  noFlagUpdates: {
    type: onOff,
    default: false,
    help: "leave files alone: do not mark what was retrieved as seen",
  },
  enableLast: { type: onOff, default: false, help: "serve LAST (RFC 1225)" },
} as const satisfies Partial<Definitions>;
