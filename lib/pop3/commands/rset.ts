/** RSET (RFC 1939, section 5): takes back every DELE. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { Pop3Context } from "../context.ts";
import type { Transaction } from "../phases.ts";

/** The RSET command. */
export const rset = command<Transaction, void, Pop3Context>({
  name: "RSET",
  args: noArguments,
  handle(phase): Reply {
    phase.reset();
    return { kind: "ok", text: phase.summary };
  },
});
