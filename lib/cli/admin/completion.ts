/** Finds how the word before the cursor may go on. */

import { type Argument, argumentOf } from "../../msmp/argument_kinds.ts";
import { AFTER_LOGIN } from "../../msmp/protocol.ts";
import { type AdminCommand, COMMANDS, KEYS, LIVE_KEYS } from "./command_list.ts";

/** Asks for the names that are there now: users, figures, sessions. */
export type NamesOf = (kind: Argument) => Promise<readonly string[]>;

/** How a line may go on. */
export interface Completion {
  /** Where the word begins that is completed, in UTF-16 units. */
  readonly start: number;
  /** Whole words, sorted. */
  readonly candidates: readonly string[];
}

/**
 * Completes what stands before the cursor.
 *
 * @param before the line up to the cursor
 * @param names asked only for what fits there
 */
export async function complete(before: string, names: NamesOf): Promise<Completion> {
  const words = before.trimStart().split(/ +/);
  const word = words.pop() ?? "";
  const start = before.length - word.length;
  const found = new Set<string>();
  for (const command of COMMANDS) {
    for (const candidate of await candidatesOf(command, words, names)) found.add(candidate);
  }
  // MSMP's own commands are offered to those who type capitals.
  if (words.length === 0 && /^[A-Z]/.test(word)) {
    for (const { name } of AFTER_LOGIN) found.add(name.split(" ")[0]!);
  }
  const candidates = [...found].filter((each) => each.startsWith(word)).toSorted();
  return { start, candidates };
}

/** The longest beginning that all candidates share. */
export function commonStart(candidates: readonly string[]): string {
  const [first = "", ...rest] = candidates;
  let length = first.length;
  for (const each of rest) {
    while (!each.startsWith(first.slice(0, length))) length--;
  }
  return first.slice(0, length);
}

/** What may follow `words` if they mean this command. */
async function candidatesOf(
  command: AdminCommand,
  words: readonly string[],
  names: NamesOf,
): Promise<readonly string[]> {
  const own = command.words.split(" ");
  const typed = words.map((word) => word.toLowerCase());
  const fits = own.slice(0, words.length).every((word, at) => word === typed[at]);
  if (!fits) return [];
  if (words.length < own.length) return [own[words.length]!];
  const kind = command.arguments[words.length - own.length];
  if (kind === undefined) return [];
  return await argumentCandidates(argumentOf(kind), command, names);
}

async function argumentCandidates(
  kind: Argument,
  command: AdminCommand,
  names: NamesOf,
): Promise<readonly string[]> {
  if (kind === "key") return command.words === "set" ? LIVE_KEYS : KEYS;
  if (kind === "command" && command.local === "help") {
    return [...new Set(COMMANDS.map(({ words }) => words.split(" ")[0]!))];
  }
  return kind === "user" || kind === "metric" || kind === "session" ? await names(kind) : [];
}
