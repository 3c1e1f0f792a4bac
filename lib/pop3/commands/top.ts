/** TOP (RFC 1939, section 7): a message's header and the first lines of its body. */

import { messageNumberAndLines } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Pop3Context } from "../context.ts";
import { openMessage } from "../open_message.ts";
import type { Transaction } from "../phases.ts";

/** The TOP command: the header, the empty line, and so many lines. */
export const top = command<Transaction, { number: number; lines: number }, Pop3Context>({
  name: "TOP",
  args: messageNumberAndLines,
  capability: () => "TOP",
  handle: (phase, { number, lines }) => openMessage(phase, number, () => ({ lines })),
});
