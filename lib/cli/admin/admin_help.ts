/** The help of `postern admin`, for the command line and in the shell. */

import { type HelpLine, helpSection } from "../help.ts";
import { usageOf } from "../../msmp/argument_kinds.ts";
import { type AdminCommand, COMMANDS, protocolCommand } from "./command_list.ts";
import { AFTER_LOGIN } from "../../msmp/protocol.ts";

/** The commands by groups, without a line end at the end. */
export function commandsHelp(): string {
  const groups = [...new Set(COMMANDS.map(({ group }) => group))];
  const sections = groups.map((title) =>
    helpSection(title, COMMANDS.filter(({ group }) => group === title).map(line))
  );
  return [
    ...sections,
    "Any command of MSMP can be typed as it is, such as STAT or LOGS alice 5.",
  ].join("\n\n");
}

/**
 * The help of the commands that begin with some words; undefined where none does.
 *
 * @param words `add`, `max connections`
 */
export function helpOn(words: string): string | undefined {
  const wanted = words.trim().toLowerCase().replaceAll("_", " ");
  const lines = COMMANDS
    .filter((command) => command.words === wanted || command.words.startsWith(`${wanted} `))
    .map(line);
  for (const { name } of AFTER_LOGIN) {
    const isWanted = name.toLowerCase() === wanted || name.toLowerCase().startsWith(`${wanted} `);
    const command = isWanted ? protocolCommand(name) : undefined;
    if (command !== undefined) lines.push(line(command));
  }
  return lines.length === 0 ? undefined : helpSection("Commands", lines);
}

function line(command: AdminCommand): HelpLine {
  return {
    flag: `${command.words} ${usageOf(command.arguments)}`.trim(),
    help: command.help,
  };
}
