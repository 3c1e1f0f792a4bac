/** HELP: what can be said. */

import { optionalWord } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { refused } from "../words.ts";

/** The HELP command: a line a command, made from the table. */
export const help = command<Administration, string | undefined, MsmpContext>({
  name: "HELP",
  usage: "[<command>]",
  summary: "shows the commands, or one of them",
  args: optionalWord("command"),
  handle(phase, asked): Reply | Promise<Reply> {
    const all = phase.context.commands();
    const wanted = asked?.toUpperCase();
    const commands = wanted === undefined ? all : all.filter((entry) => entry.name === wanted);
    if (commands.length === 0) {
      return refused("Unknown command: HELP alone shows all that there are");
    }
    return linesAnswer(
      phase,
      commands.map(({ name, usage, summary }) => `${[name, usage].join(" ").trim()} - ${summary}`),
    );
  },
});
