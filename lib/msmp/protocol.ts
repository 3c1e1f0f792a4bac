/** The commands of MSMP: what each takes, and whether its answer has lines, which no answer says by itself. */

import type { ArgumentKind } from "./argument_kinds.ts";

/** One command of the protocol. */
export interface Verb {
  /** `ADD`, or with its sub-command `KEY ADD`. */
  readonly name: string;
  readonly arguments: readonly ArgumentKind[];
  readonly help: string;
  /** Whether it changes nothing, so that it may be said twice. */
  readonly reads: boolean;
  /** The first version of the protocol that has it. */
  readonly since: 1 | 2;
  /** Whether a positive answer has lines after its first: a fixed number in version 1, framed in version 2. */
  readonly lines: boolean;
  /** How many lines follow in version 1, where their number is fixed. */
  readonly fixedLines?: (argument: string) => number | undefined;
}

const verb = (
  name: string,
  args: string,
  help: string,
  more: Partial<Omit<Verb, "name" | "arguments" | "help">> = {},
): Verb => ({
  name,
  arguments: args === "" ? [] : args.split(" ") as ArgumentKind[],
  help,
  since: 1,
  lines: false,
  reads: more.lines ?? false,
  ...more,
});

const lines = { lines: true } as const;
const second = { since: 2 } as const;

/** Every command that can be typed as it is after login. */
export const VERBS: readonly Verb[] = [
  verb("ADD", "user password", "add a user, or set the password"),
  verb("DELE", "user", "delete a user"),
  verb("LIST", "[user]", "users, or how many accesses a user has", {
    ...lines,
    fixedLines: (argument) => argument === "" ? undefined : 1,
  }),
  verb("SET", "key value", "change a setting"),
  verb("GET", "key", "show a setting", { reads: true }),
  verb("STAT", "[metric]", "figures", { ...lines, fixedLines: () => 3 }),
  verb("LOGS", "user [number]", "accesses of a user", lines),
  verb("QUIT", "", "end the connection"),
  verb("HELP", "[text]", "what the server knows", { ...lines, ...second }),
  verb("NOOP", "", "nothing", { ...second, reads: true }),
  verb("CAPA", "", "what the server can", { ...lines, ...second }),
  verb("MSMP", "number", "choose a version of the protocol", second),
  verb("SESSIONS", "", "open sessions", { ...lines, ...second }),
  verb("KICK", "session", "end a session", second),
  verb("SETTINGS", "", "every setting, and where it came from", { ...lines, ...second }),
  verb("ADMIN ADD", "name password", "add an administrator, or set the password", second),
  verb("ADMIN DELE", "name", "delete an administrator", second),
  verb("ADMIN LIST", "", "administrators", { ...lines, ...second }),
  verb("KEY ADD", "user label", "make an app password, shown once", second),
  verb("KEY DELE", "user label", "delete an app password", second),
  verb("KEY LIST", "user", "app passwords of a user", { ...lines, ...second }),
  verb("BANS", "", "who is shut out for wrong passwords", { ...lines, ...second }),
  verb("UNBAN", "name", "let an address or a user in again", second),
  verb("HISTORY", "metric [number]", "one metric, a line a minute", { ...lines, ...second }),
  verb("WATCH", "number", "snapshots, until Ctrl-C", { ...lines, ...second }),
  verb("RELOAD", "", "read certificates and config file again", second),
  verb("SHUTDOWN", "", "end the server when its sessions have ended", second),
];

/** A line of the protocol, taken apart. */
export interface TakenApart {
  readonly verb: Verb;
  /** What follows the verb. */
  readonly argument: string;
}

/** Finds the verb of a line; undefined where there is none that we know. */
export function takeApart(line: string): TakenApart | undefined {
  const parts = /^\s*(\S+)(?:\s+(\S+))?/.exec(line);
  if (parts === null) return undefined;
  const [both, first = "", next = ""] = parts;
  const pair = VERBS.find(({ name }) => name === `${first} ${next}`.toUpperCase());
  if (pair !== undefined) return { verb: pair, argument: line.slice(both.length).trim() };
  const single = VERBS.find(({ name }) => name === first.toUpperCase());
  if (single === undefined) return undefined;
  return { verb: single, argument: line.trim().slice(first.length).trim() };
}
