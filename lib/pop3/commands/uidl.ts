/** UIDL (RFC 1939, section 7): messages' unique-ids. */

import { optionalMessageNumber } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Pop3Context } from "../context.ts";
import { listMessages } from "../list_messages.ts";
import type { Transaction } from "../phases.ts";

/** The UIDL command: unique-id listings of one message or of all that are not deleted. */
export const uidl = command<Transaction, number | undefined, Pop3Context>({
  name: "UIDL",
  args: optionalMessageNumber,
  capability: () => "UIDL",
  handle: (phase, number) => listMessages(phase, number, ({ info }) => info.uid),
});
