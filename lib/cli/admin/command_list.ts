/** Every command of `postern admin`: its words, what it says to the server, how the answer is shown. Help and completion are made from this. */

import { settingKey } from "../../settings/definition.ts";
import { definitionOf, isLive, settingByKey, settingNames } from "../../settings/definitions.ts";
import type { ArgumentKind } from "../../msmp/argument_kinds.ts";
import { AFTER_LOGIN, splitLine } from "../../msmp/protocol.ts";
import {
  accesses,
  backup,
  bans,
  figures,
  keys as keysView,
  loggedUsers,
  minutes,
  needsVersion2,
  oneFigure,
  plainLines,
  said,
  secret,
  sessions,
  settings,
  users,
  value,
  type View,
} from "./views.ts";

/** One command of the admin client. */
export interface AdminCommand {
  /** What is typed: `add user`. */
  readonly words: string;
  readonly arguments: readonly ArgumentKind[];
  readonly help: string;
  /** Under which title help lists it. */
  readonly group: string;
  /** What is done by the admin client itself, and not by one request. */
  readonly local?: "help" | "quit" | "top" | "watch" | "trace";
  /**
   * What is said to the server.
   *
   * @throws {RefusedError} when that version cannot say it
   */
  request(argument: string, version: 1 | 2): string;
  readonly view: View;
  /** What must be found out first, before a password is asked for. */
  readonly precondition?: Precondition;
}

/** A question whose answer decides whether a command may be said. */
export interface Precondition {
  /** What is said to the server. It must only read. */
  question(argument: string): string;
  /** Why the command is not said, as a sentence. */
  refusal(isOk: boolean, text: string, argument: string): string | undefined;
}

const firstWord = (argument: string): string => argument.trim().split(/[ \t]+/)[0] ?? "";

/** ADD sets the password of a user who exists; two commands tell people which of both they meant. */
const isNew: Precondition = {
  question: (argument) => `LIST ${firstWord(argument)}`,
  refusal: (isOk, _, argument) =>
    isOk ? `User ${firstWord(argument)} exists; passwd sets a new password` : undefined,
};
const exists: Precondition = {
  question: (argument) => `LIST ${firstWord(argument)}`,
  refusal: (isOk, text) => isOk ? undefined : text,
};

const USERS = "Users";
const SETTINGS = "Settings";
const FIGURES = "Figures";
const SESSIONS = "Sessions and accesses";
const OTHER = "Other";

/** Every setting's key as SET and GET know it. */
export const KEYS: readonly string[] = settingNames.map(settingKey);
/** Those that SET can change. */
export const LIVE_KEYS: readonly string[] = settingNames
  .filter(isLive).map(settingKey);

/** Commands that send one command of the protocol. */
const simple: readonly AdminCommand[] = [
  sends("add user", USERS, "ADD", {
    arguments: ["user", "[password]"],
    help: "add a user who does not exist yet",
    precondition: isNew,
  }),
  sends("passwd", USERS, "ADD", {
    arguments: ["user", "[password]"],
    help: "set a user's password",
    precondition: exists,
  }),
  sends("delete user", USERS, "DELE"),
  sends("users", USERS, "LIST", { arguments: [], view: users }),
  sends("list", USERS, "LIST", { view: users }),
  sends("user disable", USERS, "USER DISABLE"),
  sends("user enable", USERS, "USER ENABLE"),
  sends("user set", USERS, "USER SET"),
  sends("user show", USERS, "USER SHOW"),
  sends("trash", USERS, "TRASH LIST"),
  sends("restore", USERS, "TRASH RESTORE"),
  sends("purge", USERS, "TRASH PURGE"),
  sends("key add", USERS, "KEY ADD", { view: secret }),
  sends("key delete", USERS, "KEY DELE"),
  sends("key list", USERS, "KEY LIST", { view: keysView }),
  sends("admin add", USERS, "ADMIN ADD", { arguments: ["name", "[password]"] }),
  sends("admin delete", USERS, "ADMIN DELE"),
  sends("admin list", USERS, "ADMIN LIST"),
  sends("settings", SETTINGS, "SETTINGS", { view: settings }),
  sends("stat", FIGURES, "STAT", { view: figures }),
  sends("history", FIGURES, "HISTORY", { view: minutes }),
  sends("sessions", SESSIONS, "SESSIONS", { view: sessions }),
  sends("kick", SESSIONS, "KICK"),
  sends("logs", SESSIONS, "LOGS", { view: accesses }),
  sends("bans", SESSIONS, "BANS", { view: bans }),
  sends("ban", SESSIONS, "BAN"),
  sends("unban", SESSIONS, "UNBAN"),
  sends("capa", OTHER, "CAPA"),
  sends("backup", OTHER, "BACKUP", { view: backup }),
  sends("reload", OTHER, "RELOAD"),
  sends("shutdown", OTHER, "SHUTDOWN"),
  sends("nodes", OTHER, "NODES"),
  sends("drain", OTHER, "DRAIN"),
];

/** Commands that tell one figure. */
const single: readonly AdminCommand[] = [
  figure("current connections amount", "pop3.sessions.active", "open sessions"),
  figure("all time connection amount", "pop3.connections", "connections ever accepted"),
  figure("all time logged amount", "pop3.logins", "logins ever"),
  figure("retrieved bytes", "pop3.bytes.sent", "octets ever sent"),
  figure("retrieved emails", "pop3.messages.retrieved", "messages ever retrieved"),
  figure("removed emails amount", "pop3.messages.deleted", "messages ever deleted"),
];

const special: readonly AdminCommand[] = [
  {
    words: "set",
    arguments: ["key", "value"],
    help: "change a setting",
    group: SETTINGS,
    request: (argument) => `SET ${joinKey(argument)}`,
    view: said,
  },
  {
    words: "get",
    arguments: ["key"],
    help: "show a setting; its words may be typed with blanks",
    group: SETTINGS,
    request: (argument) => `GET ${joinKey(argument)}`,
    view: (answer, context) =>
      value(answer, { ...context, argument: joinKey(context.argument).trim() }),
  },
  {
    words: "current logged users",
    arguments: [],
    help: "how many users are logged in, then their names",
    group: FIGURES,
    request(_argument, version): string {
      needsVersion2(this.words, version);
      return "SESSIONS";
    },
    view: loggedUsers,
  },
  local("top", "a live view of figures and sessions; q leaves", FIGURES, "top"),
  local("watch", "figures again and again, until Ctrl-C", FIGURES, "watch", ["[seconds]"]),
  local(
    "trace",
    "every command and answer of a user or an address, until Ctrl-C",
    SESSIONS,
    "trace",
    [
      "name",
      "[bodies]",
    ],
  ),
  local("help", "this, or more of one command", OTHER, "help", ["[command]"]),
  local("quit", "leave", OTHER, "quit"),
  local("exit", "leave", OTHER, "quit"),
];

/** A live setting's key as a command: shows it, or sets it. */
const keys: readonly AdminCommand[] = LIVE_KEYS.map((key) => ({
  words: key.replaceAll("_", " "),
  arguments: ["[value]"],
  help: definitionOf(settingByKey(key)!).help,
  group: "Settings by name, shown, or set to a value",
  request: (argument) => argument === "" ? `GET ${key}` : `SET ${key} ${argument}`,
  view: (answer, context) =>
    context.argument === "" ? value(answer, { ...context, argument: key }) : said(answer),
}));

/** All commands. */
export const COMMANDS: readonly AdminCommand[] = [...simple, ...single, ...special, ...keys];

/** How answers to commands of the protocol, typed as they are, are shown. */
const VIEWS: Readonly<Record<string, View>> = {
  ...Object.fromEntries(simple.map((command) => [command.request("", 2).trim(), command.view])),
  GET: value,
  HELP: plainLines,
};

/** A command of the protocol as one of ours. */
export function protocolCommand(line: string): AdminCommand | undefined {
  const found = splitLine(line)?.command;
  if (found === undefined) return undefined;
  const { name, arguments: kinds, help } = found;
  return {
    words: name,
    arguments: kinds,
    help,
    group: "MSMP",
    ...name === "WATCH"
      ? { local: "watch" }
      : name === "TRACE"
      ? { local: "trace" }
      : name === "QUIT"
      ? { local: "quit" }
      : {},
    request: (argument) => argument === "" ? name : `${name} ${argument}`,
    view: VIEWS[name] ?? said,
  };
}

/** What differs from the row of the protocol's table. */
interface Differences {
  readonly arguments?: readonly ArgumentKind[];
  readonly help?: string;
  readonly precondition?: Precondition;
  readonly view?: View;
}

/** A command that sends one of the protocol, with the arguments and the help of its row. */
function sends(
  words: string,
  group: string,
  name: string,
  differences: Differences = {},
): AdminCommand {
  const row = AFTER_LOGIN.find((each) => each.name === name);
  if (row === undefined) throw new TypeError(`The protocol has no command ${name}`);
  return {
    words,
    arguments: row.arguments,
    help: row.help,
    group,
    request: (argument, version) => {
      if (row.since === 2) needsVersion2(words, version);
      // Version 1 tells all its figures at once.
      if (name === "STAT" && version === 1) return name;
      return argument === "" ? name : `${name} ${argument}`;
    },
    view: row.lines ? plainLines : said,
    ...differences,
  };
}

function figure(words: string, name: string, help: string): AdminCommand {
  return {
    words,
    arguments: [],
    help,
    group: FIGURES,
    request: (_argument, version) => version === 1 ? "STAT" : `STAT ${name}`,
    view: oneFigure(name),
  };
}

function local(
  words: string,
  help: string,
  group: string,
  what: AdminCommand["local"] & string,
  args: readonly ArgumentKind[] = [],
): AdminCommand {
  return {
    words,
    arguments: args,
    help,
    group,
    local: what,
    request: (argument) => `${words} ${argument}`.trim(),
    view: said,
  };
}

/** Joins the words of a key that was typed with blanks: `max connections 5` becomes `max_connections 5`. */
function joinKey(argument: string): string {
  const words = argument.split(" ");
  for (let count = words.length; count > 1; count--) {
    const key = words.slice(0, count).join("_");
    if (KEYS.includes(key)) return [key, ...words.slice(count)].join(" ");
  }
  return argument;
}
