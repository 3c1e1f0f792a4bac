/** SESSIONS: the open POP3 sessions. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import type { SessionInfo } from "../../contracts/management.ts";
import type { Administration } from "../phases.ts";
import { field, timeWord } from "../text.ts";

/** The SESSIONS command: a line a session, the oldest first. */
export const sessions = command<Administration, void, MsmpContext>({
  name: "SESSIONS",
  args: noArguments,
  async handle(phase): Promise<Reply> {
    const { sessions, caughtUp } = phase.context.services.management;
    await caughtUp();
    // All at once, as they are at this moment: a slow reader must not see rows of different times.
    return await linesAnswer(phase, Array.from(sessions.list(), sessionLine));
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
    bytes,
    field(lastCommand),
  ].join(" ");
}
