/** QUIT (RFC 1939, sections 4 and 6): ends the session; after login it enters UPDATE first. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { getLogger } from "@logtape/logtape";
import type { Pop3Context } from "../context.ts";
import type { Authorization, Transaction } from "../phases.ts";

const logger = getLogger(["postern", "pop3"]);

/** The QUIT command. */
export const quit = command<Authorization | Transaction, void, Pop3Context>({
  name: "QUIT",
  summary: "removes the marked messages and ends the session",
  args: noArguments,
  handle: (phase) =>
    phase.name === "transaction" ? update(phase) : { kind: "ok", text: "bye", effect: "close" },
});

/** Removes what is marked, lets go of the maildrop, and only then answers (RFC 1939, section 6). */
async function update(phase: Transaction): Promise<Reply> {
  const { gate, identity } = phase.context.services;
  phase.context.update();
  const marked = [...phase.marked].sort((a, b) => a - b).flatMap((number) =>
    phase.maildrop.messages[number - 1] ?? []
  );
  const stayed = marked.length === 0 ? [] : await phase.maildrop.remove(marked);
  if (marked.length > stayed.length) {
    gate.observe({
      type: "deleted",
      session: identity.session,
      messages: marked.length - stayed.length,
    });
  }
  // The lock is free before the client can read the answer: its next session may follow at once.
  await phase.close();
  if (stayed.length === 0) {
    return { kind: "ok", text: `${phase.count} messages left`, effect: "close" };
  }
  logger.error("{count} messages of {user} could not be removed", {
    count: stayed.length,
    user: phase.user,
  });
  return {
    kind: "error",
    code: "SYS/TEMP",
    text: "some deleted messages not removed",
    effect: "close",
    reason: "quit",
  };
}
