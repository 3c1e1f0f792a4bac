/** The arguments of `postern admin`, and its help. */

import { paragraph } from "../help.ts";
import { port } from "../../settings/types/numbers.ts";
import { quote } from "../../bytes/quote.ts";
import { type GivenFlag, parseFlags } from "../flags.ts";
import { flagsHelp, isGiven, ownFlag, withHelp } from "../own_flags.ts";
import { UsageError } from "../usage_error.ts";
import { argumentOf } from "../../msmp/argument_kinds.ts";
import { COMMANDS } from "./command_list.ts";
import { commandsHelp } from "./admin_help.ts";

/** What the arguments of `admin` ask for. */
export interface AdminArguments {
  readonly host: string;
  readonly port: number;
  /** The login as it was given: `NAME`, `NAME:PASS` or `NAME:@FILE`. */
  readonly user: string | undefined;
  readonly tls: boolean;
  /** A PEM file. */
  readonly ca: string | undefined;
  readonly json: boolean;
  readonly csv: boolean;
  /** What is asked for, in this order; nothing for a shell. */
  readonly commands: readonly AskedCommand[];
}

/** A command of the line. */
export type AskedCommand =
  /** Its words, joined. */
  | { readonly kind: "line"; readonly line: string }
  /** A user to be added, or updated, in the same forms as the administrator. */
  | { readonly kind: "new-user"; readonly user: string };

const flags = withHelp([
  ownFlag("admin-listen", "L", "ADDR", "where the server is (default: 127.0.0.1)"),
  ownFlag("address", "a", "ADDR", "the same"),
  ownFlag("admin-port", "P", "PORT", "its management port (default: 4321)"),
  ownFlag("port", "p", "PORT", "the same"),
  ownFlag(
    "user",
    "u",
    "NAME:PASS",
    "the administrator; NAME:@FILE reads the password from a file, NAME alone asks for it",
  ),
  ownFlag(
    "pass",
    undefined,
    "PASS",
    "the password, where --user gives the name alone; process lists show it",
  ),
  ownFlag(
    "tls",
    undefined,
    "",
    "require TLS; without this flag, TLS is used when the server offers it",
  ),
  ownFlag(
    "ca",
    undefined,
    "FILE",
    "PEM file of the authority that signed the server's certificate",
  ),
  ownFlag("bodies", undefined, "", "with the command trace: show messages, too"),
  ownFlag("hours", undefined, "", "with the command history: a line per hour, for two years"),
  ownFlag("csv", undefined, "", "lists as CSV: history, sessions, logs and the like"),
  ownFlag("json", undefined, "", "machine-readable output: one JSON line per command"),
  {
    ...ownFlag(
      "new-user",
      "n",
      "NAME:PASS",
      "add a user, or set the password of one who exists; says which",
    ),
    repeatable: true,
  },
  {
    ...ownFlag("metrics", "m", "", "the command stat; what follows is the figure's name"),
    repeatable: true,
  },
  { ...ownFlag("maildir", "d", "DIR", "the command set maildir"), repeatable: true },
]);

/** Flags as an older client spells them. */
const OLD_SPELLING = /^-(?=(?:address|port|user|pass)(?:=|$))/;

/**
 * Reads the arguments of `admin` (without the word itself).
 *
 * @throws {UsageError} one line that says what is wrong and what was expected
 */
export function parseAdminArguments(args: readonly string[]): AdminArguments {
  const { values, given, rest } = parseFlags(spellOut(args), flags);
  const text = (name: string): string | undefined => values.get(name)?.[0];
  return {
    host: readHost(one(text("admin-listen"), text("address"), "-L and -a") ?? "127.0.0.1"),
    port: readPort(one(text("admin-port"), text("port"), "-P and -p") ?? "4321"),
    user: loginOf(text("user"), text("pass")),
    tls: isGiven(values, "tls"),
    ca: text("ca"),
    json: isGiven(values, "json"),
    csv: isGiven(values, "csv"),
    commands: withSuffix(
      withSuffix(commandsOf(rest, given), "bodies", isGiven(values, "bodies")),
      "hours",
      isGiven(values, "hours"),
    ),
  };
}

/** The help text of `admin`. */
export function adminHelp(): string {
  return [
    "Usage: postern admin [flags] [command]",
    paragraph(
      "Manages a running server over its management port. Without a command it starts a shell; when standard input " +
        "is not a terminal, it reads one command per line.",
    ),
    flagsHelp(flags),
    paragraph(
      "The login can also be given in POSTERN_ADMIN_LOGIN, in the same forms; process lists do not show it. A password " +
        "that begins with @ is written @@….",
    ),
    paragraph(
      "-n, -m and -d may be given together and several times; they are done in their order. The spellings -address, " +
        "-port, -user and -pass of an older client are taken, too.",
    ),
    "Exit status: 0 done, 1 refused by the server, 2 wrong usage, 3 no connection.",
    commandsHelp(),
  ].join("\n\n");
}

/**
 * Writes old spellings as ours, joins a figure's name to `-m`, and marks where the command begins whose words may begin with a dash, as in
 * `set transformer tr -d x` or a password: what follows is not for us, but for `--json` and `--tls`. Flags may stand behind any other
 * command.
 */
function spellOut(args: readonly string[]): readonly string[] {
  const spelled: string[] = [];
  let isCommand = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!.replace(OLD_SPELLING, "--");
    if (arg === "--") return [...spelled, ...args.slice(i)];
    if (!arg.startsWith("-")) {
      // The first word is the command's; what follows one of ours may be flags again.
      if (!isCommand && takesAnything(arg)) return [...spelled, ...markCommand(args.slice(i))];
      isCommand = true;
      spelled.push(arg);
      continue;
    }
    const next = args[i + 1];
    const isFollowed = next !== undefined && !next.startsWith("-");
    if (/^(-m|--metrics)$/.test(arg) && isFollowed) {
      spelled.push(`--metrics=${next}`);
      i++;
      continue;
    }
    spelled.push(arg);
    const takesNext = flags.some(({ name, letter, placeholder }) =>
      placeholder !== "" && (arg === `--${name}` || arg === `-${letter}`)
    );
    if (takesNext && next !== undefined) spelled.push(args[++i]!);
  }
  return spelled;
}

/** Puts our own flags in front of a command's words, and `--` between. */
function markCommand(words: readonly string[]): readonly string[] {
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  const isOurs = (word: string, at: number): boolean =>
    at < end && (word === "--json" || word === "--tls");
  return [
    ...words.filter(isOurs),
    "--",
    ...words.filter((word, at) => at !== end && !isOurs(word, at)),
  ];
}

/** Whether a command that begins with this word can hold a password, a value or a label. */
function takesAnything(word: string): boolean {
  const first = word.trimStart().split(/\s/)[0]!;
  const fits = COMMANDS.filter(({ words }) => words.split(" ")[0] === first.toLowerCase());
  return fits.length === 0 || /^[A-Z]+$/.test(first) ||
    fits.some((command) =>
      command.arguments.some((kind) =>
        ["password", "value", "label", "messages"].includes(argumentOf(kind))
      )
    );
}

/** The commands in their order: those that are flags, or the one of the words. */
function commandsOf(
  rest: readonly string[],
  given: readonly GivenFlag[],
): readonly AskedCommand[] {
  const asked = given.flatMap(({ name, value }): AskedCommand[] => {
    if (name === "new-user") return [{ kind: "new-user", user: value }];
    if (name === "maildir") return [{ kind: "line", line: `set maildir ${value}` }];
    if (name !== "metrics") return [];
    return [{ kind: "line", line: value === "true" ? "stat" : `stat ${value}` }];
  });
  if (asked.length === 0) return rest.length === 0 ? [] : [{ kind: "line", line: rest.join(" ") }];
  if (rest.length === 0) return asked;
  throw new UsageError(`unexpected ${quote(rest[0]!)}: -n, -m and -d are commands themselves`);
}

/** Flags that belong to one command, and stand behind its words. */
function withSuffix(
  commands: readonly AskedCommand[],
  flag: "bodies" | "hours",
  isGiven: boolean,
): readonly AskedCommand[] {
  if (!isGiven) return commands;
  const owner = flag === "bodies" ? "trace" : "history";
  const [only] = commands;
  const line = only?.kind === "line" ? only.line : "";
  if (commands.length !== 1 || !new RegExp(`^${owner} `, "i").test(line)) {
    throw new UsageError(`--${flag} belongs to the command ${owner}`);
  }
  return [{ kind: "line", line: `${line} ${flag}` }];
}

/** The login of `--user` and `--pass`. */
function loginOf(user: string | undefined, password: string | undefined): string | undefined {
  if (password === undefined) return user;
  if (user === undefined || user.includes(":")) {
    throw new UsageError(
      "--pass needs a name without a password: expected --user NAME --pass PASS",
    );
  }
  return `${user}:${password}`;
}

function one(
  first: string | undefined,
  second: string | undefined,
  what: string,
): string | undefined {
  if (first !== undefined && second !== undefined) {
    throw new UsageError(`${what} mean the same: give only one of them`);
  }
  return first ?? second;
}

function readHost(text: string): string {
  const host = /^\[(.+)\]$/.exec(text)?.[1] ?? text;
  if (!/^[A-Za-z0-9_.:%-]+$/.test(host)) {
    throw new UsageError(`-a ${quote(text)}: expected an address or a host name, without a port`);
  }
  return host;
}

function readPort(text: string): number {
  try {
    const number = port.read([text]);
    if (number > 0) return number;
  } catch {
    // Said below, with the flag's own range: 0 is no port to connect to.
  }
  throw new UsageError(`-p ${quote(text)}: expected a port, 1 to 65535`);
}
