/** The program from its arguments to its exit status. */

import { SettingError } from "../settings/errors.ts";
import { chooseCommand, type Command } from "./commands.ts";
import { serve } from "./serve.ts";
import { complain } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

const commands: readonly [Command, ...Command[]] = [serve];

/**
 * Runs the command that the arguments name.
 *
 * @returns the exit status: 0 done, 1 it could not be done, 2 the arguments are wrong
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const { command, args: rest } = chooseCommand(args, commands);
    return await command.run(rest);
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof SettingError)) throw error;
    complain(`postern: ${error.message}`);
    return 2;
  }
}
