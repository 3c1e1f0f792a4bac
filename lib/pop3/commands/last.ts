/** LAST (RFC 1225): the highest message number accessed, for clients older than UIDL. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Pop3Context } from "../context.ts";
import type { Transaction } from "../phases.ts";

/** The LAST command; RFC 1460 dropped it, so it exists only where it was asked for. */
export const last = command<Transaction, void, Pop3Context>({
  name: "LAST",
  args: noArguments,
  available: (context) => context.services.settings.enableLast,
  handle: (phase) => ({ kind: "ok", text: `${phase.last}` }),
});
