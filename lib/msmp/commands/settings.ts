/** SETTINGS: every setting, its value, and where that came from. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { shown } from "../text.ts";

/** Characters of a value that are shown here; GET shows more. */
const VALUE_LENGTH = 140;

/** The SETTINGS command. */
export const settings = command<Administration, void, MsmpContext>({
  name: "SETTINGS",
  args: noArguments,
  handle: (phase): Promise<Reply> =>
    linesAnswer(
      phase,
      phase.context.services.management.settings.list().map(({ key, value, source }) =>
        // Short enough that the source is never what a long line loses.
        `${key}: ${short(shown(value))} (${source})`
      ),
    ),
});

function short(text: string): string {
  return text.length <= VALUE_LENGTH ? text : `${text.slice(0, VALUE_LENGTH).toWellFormed()}…`;
}
