/** From a message's number to its body on the way out: what RETR and TOP have in common. */

import { NoHelperError } from "../contracts/held_folders.ts";
import { MessageGoneError } from "../contracts/mail_store.ts";
import { TransformerError } from "../contracts/transformer.ts";
import type { Reply } from "../wire/reply.ts";
import { logger } from "../log/logging.ts";
import type { SessionIdentity } from "../contracts/login_service.ts";
import { tellLater } from "./refusals.ts";
import type { NumberedMessage, Transaction } from "./phases.ts";

const log = logger("pop3");

type MessageReply = Extract<Reply, { kind: "message" }>;

/**
 * Opens a message and puts it through the transformer.
 *
 * @param how tells what is to be sent of it, and what to do then
 * @returns the message, or an error that tells the client whether to try again
 */
export async function openMessage(
  phase: Transaction,
  number: number,
  how: (message: NumberedMessage) => Pick<MessageReply, "lines" | "sent">,
): Promise<Reply> {
  const message = phase.find(number);
  if (typeof message === "string") return { kind: "error", text: message };
  const { transformer } = phase.context.services;
  const signal = phase.context.workSignal();
  try {
    const body = await transformer.apply(
      () => phase.maildrop.open(message.info, signal),
      {
        user: phase.user,
        uid: message.info.uid,
        client: phase.context.services.identity.address,
        session: phase.context.services.identity.session,
        signal,
      },
    );
    // With a transformer on, no size is named (pop3.md, "Transformer"), not even where the stored message bypasses it.
    const known = body.kind === "stored" && !transformer.resizes;
    const text = known && how(message).lines === undefined
      ? `${body.message.size} octets`
      : "message follows";
    return { kind: "message", text, body, ...how(message) };
  } catch (error) {
    return explain(phase, number, error);
  }
}

function explain(phase: Transaction, number: number, error: unknown): Reply {
  if (error instanceof MessageGoneError) {
    return { kind: "error", text: `Message ${number} was removed by another program` };
  }
  const { identity } = phase.context.services;
  const isTransformers = error instanceof TransformerError;
  // How the session ended is told anyway.
  if (!isTransformers || error.reason !== "cancelled") {
    // A transformer that keeps failing is warned of once (operations.md, "Watching it"), by who watches the events.
    log[isTransformers ? "info" : "warn"]("Message {number} of {user} cannot be sent: {error}", {
      session: identity.session,
      number,
      user: phase.user,
      error,
    });
  }
  return isTransformers
    ? tellLater(`Message ${number} cannot be filtered now`, identity)
    : refusal(number, error, identity);
}

function refusal(number: number, error: unknown, identity: SessionIdentity): Reply {
  return error instanceof Error && error.cause instanceof NoHelperError
    ? {
      kind: "error",
      code: "SYS/PERM",
      text: `Message ${number} cannot be read, tell the postmaster`,
    }
    : tellLater(`Message ${number} cannot be read now`, identity);
}
