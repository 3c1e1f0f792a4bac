/** NOOP (RFC 1939, section 5): nothing, successfully. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Pop3Context } from "../context.ts";
import type { Authorization, Transaction } from "../phases.ts";

/** The NOOP command. Some clients probe with it before login, which is harmless. */
export const noop = command<Authorization | Transaction, void, Pop3Context>({
  name: "NOOP",
  args: noArguments,
  handle: () => ({ kind: "ok" }),
});
