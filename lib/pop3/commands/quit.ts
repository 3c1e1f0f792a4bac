/** QUIT (RFC 1939, sections 4 and 6): ends the session; after login it enters UPDATE first. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { logger } from "../../log/logging.ts";
import type { MayRemove, MessageInfo, RemovalOutcome } from "../../contracts/mail_store.ts";
import type { Pop3Context } from "../context.ts";
import { calledBy } from "../greeting.ts";
import type { Authorization, Transaction } from "../phases.ts";

const log = logger("pop3");

/** The QUIT command. */
export const quit = command<Authorization | Transaction, void, Pop3Context>({
  name: "QUIT",
  args: noArguments,
  handle: (phase) =>
    phase.name === "transaction"
      ? update(phase)
      : { kind: "ok", text: farewell(phase, "bye"), effect: "close" },
});

/** The answer's text in the style that is set. */
function farewell(phase: Authorization | Transaction, text: string): string {
  const { greetingStyle } = phase.context.services.settings;
  if (greetingStyle === "plain") return text;
  const goodbye = calledBy(phase.user, "Goodbye");
  return phase.name === "transaction" ? `${goodbye}, ${text}` : goodbye;
}

/**
 * Removes what is marked, lets go of the maildrop, and only then answers (RFC 1939, section 6). "Whether the removal was
 * successful or not, the server then releases any exclusive-access lock on the maildrop and closes the TCP connection."
 */
async function update(phase: Transaction): Promise<Reply> {
  const { loginService, identity } = phase.context.services;
  phase.context.update();
  // Also for clients that send QUIT ahead of the answers: they have said that they are done with the messages.
  phase.confirmSent();
  // What is kept on the server was hidden from this session only.
  const marked = (phase.deletes === "keep" ? [] : [...phase.marked]).sort((a, b) => a - b).flatMap((
    number,
  ) => phase.maildrop.messages[number - 1] ?? []);
  const outcome = await remove(phase, marked);
  const gone = marked.length - outcome.stayed.length;
  logDeleted(phase, marked, outcome);
  if (gone > 0) {
    loginService.observe({ type: "deleted", session: identity.session, messages: gone });
  }
  // The lock is free before the client can read the answer: its next session may follow at once.
  try {
    await phase.close("quit");
  } catch (error) {
    // What was asked for is done by now, and the client could do nothing about it.
    log.error("The maildrop of {user} was not closed cleanly: {error}", {
      user: phase.user,
      error,
    });
  }
  const refusal = describe(marked.length, outcome);
  if (refusal === undefined) {
    return { kind: "ok", text: farewell(phase, `${phase.count} messages left`), effect: "close" };
  }
  const code = outcome.isHelpless ? "SYS/PERM" : "SYS/TEMP";
  return { kind: "error", code, text: refusal, effect: "close", reason: "quit" };
}

/** A line for each message that is gone, where they are asked for (`--log-deletes`). */
function logDeleted(
  phase: Transaction,
  marked: readonly MessageInfo[],
  { stayed }: RemovalOutcome,
): void {
  const { settings, identity } = phase.context.services;
  if (!settings.logDeletes) return;
  const still = new Set(stayed);
  const { user } = phase;
  for (const { uid, size } of marked.filter((message) => !still.has(message))) {
    log.info("Deleted message {uid} of {user}: {size} octets, session {session}", {
      ...{ user, uid, size, session: identity.session },
    });
  }
}

/** What is written down of deleted messages that are kept for a while. */
function whoDeletes(phase: Transaction): string {
  const { session, address } = phase.context.services.identity;
  return `${session} ${address}`;
}

/** Removes messages; a store that fails where it must not has removed none that is known of. */
async function remove(
  phase: Transaction,
  marked: readonly MessageInfo[],
): Promise<RemovalOutcome> {
  if (marked.length === 0) return { stayed: [], unsynced: [], reasons: [] };
  const { maildrop, user } = phase;
  try {
    const mayRemove = await claim(phase);
    if (mayRemove === undefined) {
      return { stayed: marked, unsynced: [], reasons: [], isLockLost: true };
    }
    const outcome = await maildrop.remove(marked, mayRemove, whoDeletes(phase));
    const { stayed, unsynced, reasons } = outcome;
    if (stayed.length + unsynced.length > 0) {
      log.error("{count} of {marked} deleted messages of {user} could not be removed", {
        count: stayed.length,
        marked: marked.length,
        user,
        unsynced: unsynced.length,
        reasons,
      });
    }
    return outcome;
  } catch (error) {
    log.error("The deleted messages of {user} could not be removed: {error}", { user, error });
    return { stayed: marked, unsynced: [], reasons: [] };
  }
}

/** Makes sure of the lock; undefined when it is lost, or that cannot be found out, which the log tells. */
async function claim(phase: Transaction): Promise<MayRemove | undefined> {
  const { user } = phase;
  try {
    const mayRemove = await phase.raiseFence();
    if (mayRemove === undefined) {
      log.error("The lock of {user} was lost: nothing is removed", { user });
    }
    return mayRemove;
  } catch (error) {
    log.error("Nothing of {user} is removed, because the lock cannot be made sure of: {error}", {
      user,
      error,
    });
    return undefined;
  }
}

/** Says what could not be done to messages; undefined when all are gone for good. */
function describe(marked: number, outcome: RemovalOutcome): string | undefined {
  const { stayed, unsynced, isLockLost = false } = outcome;
  if (stayed.length + unsynced.length === 0) return undefined;
  if (isLockLost) {
    return `the lock was lost, ${marked - stayed.length} of ${marked} messages were removed`;
  }
  const parts = [
    stayed.length > 0 ? `${stayed.length} of ${marked}` : "",
    unsynced.length > 0
      ? `${unsynced.length} of ${marked} could come back after a power failure`
      : "",
  ];
  return `some deleted messages not removed (${parts.filter((part) => part !== "").join("; ")})`;
}
