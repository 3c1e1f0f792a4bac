/** LIST (RFC 1939, section 5): messages' sizes. */

import { optionalMessageNumber } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Pop3Context } from "../context.ts";
import { listMessages } from "../list_messages.ts";
import type { Transaction } from "../phases.ts";

/** The LIST command: scan listings (RFC 1939, section 5) of one message or of all that are not deleted. */
export const list = command<Transaction, number | undefined, Pop3Context>({
  name: "LIST",
  args: optionalMessageNumber,
  handle: (phase, number) => listMessages(phase, number, ({ info }) => info.size),
});
