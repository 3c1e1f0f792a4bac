/** The commands of MSMP, one row each; the server's help, the admin client, its completion and docs/msmp.md go by this table. */

import { type ArgumentKind, usageOf } from "./argument_kinds.ts";

/** One command of the protocol. */
export interface ProtocolCommand {
  /** `ADD`, or with its sub-command `KEY ADD`. */
  readonly name: string;
  readonly arguments: readonly ArgumentKind[];
  /** What it does, in the imperative. */
  readonly help: string;
  /** Whether it changes nothing, so that it may be sent twice. */
  readonly reads: boolean;
  /** The first version of the protocol that has it. */
  readonly since: 1 | 2;
  /** Whether it is sent before login only. */
  readonly beforeLogin: boolean;
  /** Whether a positive answer has lines after its first: framed in version 2. */
  readonly lines: boolean;
  /** How many lines follow in version 1, where their number is fixed. */
  readonly fixedLines?: (argument: string) => number | undefined;
}

const row = (
  name: string,
  args: string,
  help: string,
  more: Partial<Omit<ProtocolCommand, "name" | "arguments" | "help">> = {},
): ProtocolCommand => ({
  name,
  arguments: args === "" ? [] : args.split(" ") as ArgumentKind[],
  help,
  since: 1,
  lines: false,
  beforeLogin: false,
  reads: more.lines ?? false,
  ...more,
});

const lines = { lines: true } as const;
const second = { since: 2 } as const;
const before = { beforeLogin: true } as const;

/** Every command. */
export const PROTOCOL: readonly ProtocolCommand[] = [
  row("USER", "name", "name the administrator", before),
  row("PASS", "password", "log in", before),
  row("STLS", "", "start TLS", before),
  row("ADD", "user password", "add a user, or set the password", {}),
  row("DELE", "user", "delete a user; the mail stays"),
  row("LIST", "[user]", "list the users, or count the accesses of one", {
    ...lines,
    fixedLines: (argument) => argument === "" ? undefined : 1,
  }),
  row("LOGS", "user [count]", "list a user's accesses, the newest last", lines),
  row("USER DISABLE", "user", "keep a user out; mail and password stay", second),
  row("USER ENABLE", "user", "let a user in again", second),
  row(
    "USER SET",
    "user field [value]",
    "set mailbox, home, quota, trash or deletes of a user",
    second,
  ),
  row("USER SHOW", "user", "list what was set for a user", { ...lines, ...second }),
  row("TRASH LIST", "user", "list a user's deleted messages that are kept for a while", {
    ...lines,
    ...second,
  }),
  row(
    "TRASH RESTORE",
    "user messages",
    "put deleted messages back: all, since <time>, or unique-ids",
    second,
  ),
  row("TRASH PURGE", "user messages", "remove deleted messages for good, named likewise", second),
  row(
    "KEY ADD",
    "user label",
    "create an app password, shown once; expires=, networks= and read-only may follow",
    second,
  ),
  row("KEY DELE", "user label", "delete an app password", second),
  row("KEY LIST", "user", "list a user's app passwords", { ...lines, ...second }),
  row("ADMIN ADD", "name password", "add an administrator, or set the password", second),
  row("ADMIN DELE", "name", "delete an administrator", second),
  row("ADMIN LIST", "", "list the administrators", { ...lines, ...second }),
  row("SET", "key value", "change a setting, now and for later starts"),
  row("GET", "key", "show a setting", { reads: true }),
  row("SETTINGS", "", "list every setting and where its value comes from", {
    ...lines,
    ...second,
  }),
  row("STAT", "[metric] [node]", "show every metric, or one", { ...lines, fixedLines: () => 3 }),
  row(
    "HISTORY",
    "metric [minutes] [hours] [node]",
    "show one metric, one line per minute or hour",
    {
      ...lines,
      ...second,
    },
  ),
  row("WATCH", "seconds", "show all metrics every so many seconds until a line is sent", {
    ...lines,
    ...second,
  }),
  row("TRACE", "name [bodies]", "show every command and answer of a user or an address", {
    ...lines,
    ...second,
  }),
  row("SESSIONS", "[node]", "list the open sessions", { ...lines, ...second }),
  row("KICK", "session", "close a session; it deletes nothing", second),
  row("BANS", "[node]", "list the banned addresses and users", {
    ...lines,
    ...second,
  }),
  row("BAN", "name [seconds]", "ban an address, a network or a user", second),
  row("UNBAN", "name", "lift the ban of an address or a user", second),
  row("BACKUP", "[name]", "back up the state on the server's machine, in its folder of backups", {
    ...lines,
    ...second,
    reads: false,
  }),
  row("RELOAD", "[node]", "read the certificates and the config file again", second),
  row("SHUTDOWN", "[node]", "stop the server when its sessions have ended", second),
  row("NODES", "", "list the servers that share the database", { ...lines, ...second }),
  row("DRAIN", "node", "let a server's sessions end, and stop it", second),
  row("HELP", "[command]", "list the commands, or explain one", { ...lines, ...second }),
  row("CAPA", "", "list the server's capabilities", { ...lines, ...second }),
  row("NOOP", "", "do nothing", { ...second, reads: true }),
  row("MSMP", "version", "switch to a version of the protocol", second),
  row("QUIT", "", "close the connection"),
];

/** Those that are sent after login. */
export const AFTER_LOGIN: readonly ProtocolCommand[] = PROTOCOL.filter((each) => !each.beforeLogin);

/** A row as help shows it: `KICK <session> - close a session`. */
export function helpLine({ name, arguments: kinds, help }: ProtocolCommand): string {
  return `${`${name} ${usageOf(kinds)}`.trim()} - ${help}`;
}

/** A line of the protocol, split. */
export interface ProtocolLine {
  readonly command: ProtocolCommand;
  /** What follows the command's name. */
  readonly argument: string;
}

/** Finds the command of a line; undefined where there is none that we know. */
export function splitLine(line: string): ProtocolLine | undefined {
  const parts = /^\s*(\S+)(?:\s+(\S+))?/.exec(line);
  if (parts === null) return undefined;
  const [both, first = "", next = ""] = parts;
  const pair = AFTER_LOGIN.find(({ name }) => name === `${first} ${next}`.toUpperCase());
  if (pair !== undefined) return { command: pair, argument: line.slice(both.length).trim() };
  const single = AFTER_LOGIN.find(({ name }) => name === first.toUpperCase());
  if (single === undefined) return undefined;
  return { command: single, argument: line.trim().slice(first.length).trim() };
}
