/** STAT (RFC 1939, section 5): how many messages, and how many octets. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Pop3Context } from "../context.ts";
import type { Transaction } from "../phases.ts";

/** The STAT command; deleted messages are not counted. */
export const stat = command<Transaction, void, Pop3Context>({
  name: "STAT",
  args: noArguments,
  handle: (phase) => ({ kind: "ok", text: `${phase.count} ${phase.octets}` }),
});
