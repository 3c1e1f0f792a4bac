/** The program from its arguments to its exit status. */

import { SettingError } from "../settings/errors.ts";
import { admin } from "./admin/admin.ts";
import { chooseCommand, type Command } from "./commands.ts";
import { health } from "./health.ts";
import { helpSection } from "./help.ts";
import { answerHelp } from "./own_flags.ts";
import { serve } from "./serve.ts";
import { serveHelp } from "./serve_arguments.ts";
import { complain } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";
import { user } from "./user.ts";

const commands: readonly [Command, ...Command[]] = [serve, admin, health, user];

/**
 * Runs the command that the arguments name.
 *
 * @returns the exit status: 0 done, 1 it could not be done, 2 the arguments are wrong, 3 there is no connection (`admin`)
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const helped = args[0]?.startsWith("-") ? answerHelp(args, programHelp) : undefined;
    if (helped !== undefined) return helped;
    const { command, args: rest } = chooseCommand(args, commands);
    return await command.run(rest);
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof SettingError)) throw error;
    complain(`postern: ${error.message}`);
    return 2;
  }
}

/** What `postern -h` shows: the commands, and the flags of the first. */
function programHelp(): string {
  const lines = commands.map(({ name, summary }) => ({ flag: `postern ${name}`, help: summary }));
  return [
    helpSection("Commands", lines),
    "postern COMMAND -h tells of each. Without a command, serve is meant:",
    serveHelp(),
  ].join("\n\n");
}
