/** SESSIONS: the open POP3 sessions. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import type { SessionInfo } from "../../contracts/management.ts";
import { fleetOf, type ForNode, forNode } from "../node_argument.ts";
import type { Administration } from "../phases.ts";
import { field, timeWord } from "../text.ts";

/** The SESSIONS command: a line a session, the oldest first. */
export const sessions = command<Administration, ForNode<void>, MsmpContext>({
  name: "SESSIONS",
  args: forNode(noArguments),
  async handle(phase, { node }): Promise<Reply> {
    const { management } = phase.context.services;
    const { caughtUp, fleet, sessions } = management;
    await caughtUp();
    // All at once, as they are at this moment: a slow reader must not see rows of different times.
    const list = fleet === undefined && node === undefined
      ? sessions.list()
      : await fleetOf(management).sessions(node === "*" ? undefined : node);
    return await linesAnswer(phase, Array.from(list, sessionLine));
  },
});

function sessionLine(session: SessionInfo): string {
  const { id, user, address, tls, state, since, bytes, lastCommand } = session;
  return [
    id,
    field(user),
    address,
    field(tls),
    state,
    timeWord(since),
    bytes ?? "-",
    field(lastCommand),
  ].join(" ");
}
