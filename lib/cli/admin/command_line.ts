/** Finds the command that a typed line means, and what is still missing of it. */

import { quote } from "../../bytes/quote.ts";
import { didYouMean } from "../../settings/suggest.ts";
import { UsageError } from "../usage_error.ts";
import { argumentOf, usageOf } from "../../msmp/argument_kinds.ts";
import { type AdminCommand, COMMANDS, protocolCommand } from "./command_list.ts";
import { said, wants } from "./views.ts";

/** A command with what follows it. */
export interface Chosen {
  readonly command: AdminCommand;
  /** Without blanks before it; those within it and after it are kept, for they may be a password's. */
  readonly argument: string;
}

/** What is between words. */
const BLANKS = /[ \t]+/;

/**
 * Finds the command of a line. One in capitals is MSMP's own; else the admin client's words come first, the longest that fit.
 *
 * @throws {UsageError} when it names no command
 */
export function chooseAdminCommand(line: string): Chosen {
  // A key's words may be joined as the protocol joins them.
  const text = line.trimStart().replace(/^[a-z_]+/, (word) => word.replaceAll("_", " "));
  const [first = ""] = text.split(BLANKS);
  if (/^STLS$/i.test(first)) {
    throw new UsageError("TLS starts when the connection is made; use --tls to require it");
  }
  const isProtocol = /^[A-Z]+\d*$/.test(first);
  const own = isProtocol ? undefined : ownCommand(text);
  const command = own ?? protocolCommand(text) ?? (isProtocol ? unknownCommand(first) : undefined);
  if (command === undefined) {
    throw new UsageError(`unknown command ${quote(first)}${hintAt(first)}`);
  }
  return { command, argument: afterWords(text, command.words.split(" ").length) };
}

/** What may have been meant: the commands that begin with this word, or one whose first word is like it. */
function hintAt(first: string): string {
  const begun = COMMANDS.map(({ words }) => words)
    .filter((words) => words.startsWith(`${first.toLowerCase()} `));
  if (begun.length > 0) return `: expected ${begun.join(", ")}`;
  const beginnings = new Set(COMMANDS.map(({ words }) => words.split(" ")[0]!));
  return didYouMean(first, [...beginnings]) || "; help lists them";
}

/** Checks that a command has the arguments that it needs, and no more; a password may still be missing. */
export function checkArguments({ command, argument }: Chosen): void {
  const kinds = command.arguments;
  const given = argument.trim() === "" ? 0 : argument.trim().split(BLANKS).length;
  const needed = kinds.filter((kind) => !kind.startsWith("[")).length;
  const last = kinds.at(-1);
  const takesRest = last !== undefined &&
    ["password", "value", "label", "messages", "text", "key", "user", "name"].includes(
      argumentOf(last),
    );
  if (given < needed || (given > kinds.length && !takesRest)) {
    throw wants(command.words, usageOf(kinds));
  }
}

/** Whether a command wants a password that was not typed. */
export function lacksPassword({ command, argument }: Chosen): boolean {
  const at = passwordAt(command);
  const given = argument.trim() === "" ? 0 : argument.trim().split(BLANKS).length;
  return command.arguments[at] === "[password]" && given === at;
}

/** Whether a line holds a password, or may hold one, so that it must not be kept or shown again. */
export function holdsSecret(line: string): boolean {
  let chosen: Chosen;
  try {
    chosen = chooseAdminCommand(line);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // What was mistyped could have been "add user NAME PASSWORD".
    return line.trim().split(BLANKS).length > 2;
  }
  if (/^PASS$/i.test(chosen.command.words)) return true;
  const at = passwordAt(chosen.command);
  return at >= 0 && chosen.argument.trim().split(BLANKS).length > at;
}

function passwordAt({ arguments: kinds }: AdminCommand): number {
  return kinds.findIndex((kind) => argumentOf(kind) === "password");
}

function ownCommand(text: string): AdminCommand | undefined {
  const words = text.trimEnd().toLowerCase().split(BLANKS);
  const fits = COMMANDS.filter((command) => {
    const wanted = command.words.split(" ");
    return wanted.every((word, at) => word === words[at]);
  });
  return fits.toSorted((a, b) => b.words.length - a.words.length)[0];
}

/** A command that this client does not know is sent as it is: a newer server may know it. */
function unknownCommand(word: string): AdminCommand {
  return {
    words: word,
    arguments: ["[argument]"],
    help: "",
    group: "MSMP",
    request: (argument) => `${word} ${argument}`.trim(),
    view: said,
  };
}

function afterWords(text: string, count: number): string {
  return text.replace(new RegExp(`^(?:[^ \\t]+[ \\t]*){${count}}`), "");
}
