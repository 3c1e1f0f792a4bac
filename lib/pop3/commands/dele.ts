/** DELE (RFC 1939, section 5): marks a message for removal. */

import { messageNumber } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { Pop3Context } from "../context.ts";
import type { Transaction } from "../phases.ts";

/** The DELE command; nothing is removed before QUIT. */
export const dele = command<Transaction, number, Pop3Context>({
  name: "DELE",
  args: messageNumber,
  handle(phase, number): Reply {
    const message = phase.find(number);
    if (typeof message === "string") return { kind: "error", text: message };
    if (phase.readOnly) return { kind: "error", text: "This app password is read-only" };
    if (phase.deletes === "refuse") {
      return { kind: "error", code: "SYS/PERM", text: "Messages may not be deleted here" };
    }
    phase.mark(message);
    phase.accessed(number);
    return { kind: "ok", text: `message ${number} deleted` };
  },
});
