/** Finds the command that a command line names. */

import { quote } from "../bytes/quote.ts";
import { didYouMean } from "../settings/suggest.ts";
import { UsageError } from "./usage_error.ts";

/** One command of the program. */
export interface Command {
  /** The word that names it. */
  readonly name: string;
  /** What it does, for help. */
  readonly summary: string;
  /**
   * Runs it.
   *
   * @param args what follows the command's name
   * @returns the exit status
   * @throws {UsageError} when the arguments do not fit
   */
  run(args: readonly string[]): Promise<number>;
}

/** A command and its arguments. */
export interface ChosenCommand {
  readonly command: Command;
  readonly args: readonly string[];
}

/**
 * Chooses the command.
 *
 * @param args the program's arguments
 * @param commands all commands; the first is meant where none is named
 * @throws {UsageError} when the first argument names no command
 */
export function chooseCommand(
  args: readonly string[],
  commands: readonly [Command, ...Command[]],
): ChosenCommand {
  const [word, ...rest] = args;
  if (word === undefined || word.startsWith("-")) return { command: commands[0], args };
  const command = commands.find(({ name }) => name === word);
  if (command !== undefined) return { command, args: rest };
  const names = commands.map(({ name }) => name);
  const hint = didYouMean(word, names);
  throw new UsageError(
    `unknown command ${quote(word)}${hint || `: expected ${names.join(", ")} or flags`}`,
  );
}
