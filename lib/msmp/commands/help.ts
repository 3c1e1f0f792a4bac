/** HELP: lists the commands. */

import { optionalWord } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { AFTER_LOGIN, helpLine } from "../protocol.ts";
import { refused } from "../words.ts";

/** The HELP command: one line per command, made from the table of the protocol. */
export const help = command<Administration, string | undefined, MsmpContext>({
  name: "HELP",
  args: optionalWord("command"),
  handle(phase, asked): Reply | Promise<Reply> {
    const keywords = phase.context.commands();
    const wanted = asked?.toUpperCase();
    const rows = AFTER_LOGIN.filter(({ name }) => {
      const [keyword = ""] = name.split(" ");
      return keywords.includes(keyword) && (wanted === undefined || keyword === wanted);
    });
    if (rows.length === 0) return refused("Unknown command; HELP without a name lists all");
    return linesAnswer(phase, rows.map(helpLine));
  },
});
