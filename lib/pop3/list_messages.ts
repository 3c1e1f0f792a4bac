/** The listings that LIST and UIDL share: one message in one line, or all in many. */

import type { Reply } from "../wire/reply.ts";
import type { NumberedMessage, Transaction } from "./phases.ts";

/**
 * Lists what `tell` says of a message.
 *
 * @param number of the one message that was asked for, or undefined for all that are not deleted
 */
export function listMessages(
  phase: Transaction,
  number: number | undefined,
  tell: (message: NumberedMessage) => string | number,
): Reply {
  if (number === undefined) return { kind: "list", text: phase.summary, lines: lines(phase, tell) };
  const message = phase.find(number);
  if (typeof message === "string") return { kind: "error", text: message };
  return { kind: "ok", text: `${number} ${tell(message)}` };
}

function* lines(
  phase: Transaction,
  tell: (message: NumberedMessage) => string | number,
): Generator<string> {
  for (const message of phase.remaining()) yield `${message.number} ${tell(message)}`;
}
