/** BANS: who is kept out for failed logins. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import { type ForNode, forNode } from "../node_argument.ts";
import type { Administration } from "../phases.ts";
import { field, timeWord } from "../text.ts";

/** The BANS command: subject, kind, end and failures, a line a ban. */
export const bans = command<Administration, ForNode<void>, MsmpContext>({
  name: "BANS",
  // All servers have the same bans, whichever is asked for.
  args: forNode(noArguments),
  handle: (phase): Promise<Reply> =>
    linesAnswer(
      phase,
      Array.from(
        phase.context.services.management.bans.list(),
        ({ subject, kind, until, failures }) =>
          `${field(subject)} ${kind} ${timeWord(until)} ${failures}`,
      ),
    ),
});
