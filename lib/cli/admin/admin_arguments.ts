/** The arguments of `postern admin`, and its help. */

import { paragraph } from "../help.ts";
import { port } from "../../settings/types/numbers.ts";
import { quote } from "../../bytes/quote.ts";
import { parseFlags } from "../flags.ts";
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
  /** The user that `-n` adds, in the same forms as `user`. */
  readonly newUser: string | undefined;
  /** The command's words, joined; empty for a shell. */
  readonly command: string;
}

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
  ownFlag("json", undefined, "", "machine-readable output: one JSON line per command"),
  ownFlag("new-user", "n", "NAME:PASS", "the command add user, in one word"),
  ownFlag("metrics", "m", "", "the command stat; what follows is the figure's name"),
  ownFlag("maildir", "d", "DIR", "the command set maildir"),
]);

/**
 * Reads the arguments of `admin` (without the word itself).
 *
 * @throws {UsageError} one line that says what is wrong and what was expected
 */
export function parseAdminArguments(args: readonly string[]): AdminArguments {
  const { values, rest } = parseFlags(upToCommand(args), flags);
  const text = (name: string): string | undefined => values.get(name)?.[0];
  return {
    host: readHost(one(text("admin-listen"), text("address"), "-L and -a") ?? "127.0.0.1"),
    port: readPort(one(text("admin-port"), text("port"), "-P and -p") ?? "4321"),
    user: text("user"),
    tls: isGiven(values, "tls"),
    ca: text("ca"),
    json: isGiven(values, "json"),
    newUser: text("new-user"),
    command: commandOf(rest, values),
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
    "Exit status: 0 done, 1 refused by the server, 2 wrong usage, 3 no connection.",
    commandsHelp(),
  ].join("\n\n");
}

/**
 * Marks where the command begins whose words may begin with a dash, as in `set transformer tr -d x` or a password: what follows is not
 * for us, but for `--json` and `--tls`. Flags may stand behind any other command.
 */
function upToCommand(args: readonly string[]): readonly string[] {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    // What follows -m is a figure's name.
    if (arg === "--" || /^(-m|--metrics)(=|$)/.test(arg)) return args;
    if (!arg.startsWith("-")) {
      if (!takesAnything(arg)) return args;
      const words = args.slice(i);
      const end = words.includes("--") ? words.indexOf("--") : words.length;
      const isOurs = (word: string, at: number): boolean =>
        at < end && (word === "--json" || word === "--tls");
      return [
        ...args.slice(0, i),
        ...words.filter(isOurs),
        "--",
        ...words.filter((word, at) => at !== end && !isOurs(word, at)),
      ];
    }
    const takesNext = flags.some(({ name, letter, placeholder }) =>
      placeholder !== "" && (arg === `--${name}` || arg === `-${letter}`)
    );
    if (takesNext) i++;
  }
  return args;
}

/** Whether a command that begins with this word can hold a password, a value or a label. */
function takesAnything(word: string): boolean {
  const first = word.trimStart().split(/\s/)[0]!;
  const fits = COMMANDS.filter(({ words }) => words.split(" ")[0] === first.toLowerCase());
  return fits.length === 0 || /^[A-Z]+$/.test(first) ||
    fits.some((command) =>
      command.arguments.some((kind) => ["password", "value", "label"].includes(argumentOf(kind)))
    );
}

function commandOf(
  rest: readonly string[],
  values: ReadonlyMap<string, readonly string[]>,
): string {
  const newUser = values.get("new-user")?.[0];
  const metrics = values.get("metrics")?.[0];
  const maildir = values.get("maildir")?.[0];
  const asked = [newUser, metrics, maildir].filter((each) => each !== undefined).length;
  if (asked > 1) throw new UsageError("-n, -m and -d are commands: give only one of them");
  if (asked === 1 && rest.length > 0 && metrics === undefined) {
    throw new UsageError(
      `unexpected ${quote(rest[0]!)}: -n and -d are commands themselves`,
    );
  }
  if (metrics !== undefined) {
    return ["stat", ...(metrics === "true" ? [] : [metrics]), ...rest].join(" ");
  }
  if (maildir !== undefined) return `set maildir ${maildir}`;
  return rest.join(" ");
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
