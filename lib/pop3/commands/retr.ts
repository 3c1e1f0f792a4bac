/** RETR (RFC 1939, section 5): a message, whole. */

import { messageNumber } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Pop3Context } from "../context.ts";
import { openMessage } from "../open_message.ts";
import type { Transaction } from "../phases.ts";

/** The RETR command; a message that was sent whole and acknowledged is marked seen when the session ends. */
export const retr = command<Transaction, number, Pop3Context>({
  name: "RETR",
  args: messageNumber,
  handle: (phase, number) =>
    openMessage(phase, number, (message) => ({
      sent: (octets) => {
        phase.sent(message);
        const { loginService, identity } = phase.context.services;
        loginService.observe({ type: "retrieved", session: identity.session, octets });
      },
    })),
});
