/** Every command of `postern admin`: its words, what it says to the server, how the answer is shown. Help and completion are made from this. */

import { settingKey } from "../../settings/definition.ts";
import { definitionOf, isLive, settingByKey, settingNames } from "../../settings/definitions.ts";
import type { ArgumentKind } from "../../msmp/argument_kinds.ts";
import { takeApart, VERBS } from "../../msmp/protocol.ts";
import {
  accesses,
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

/** One command of the companion. */
export interface AdminCommand {
  /** What is typed: `add user`. */
  readonly words: string;
  readonly arguments: readonly ArgumentKind[];
  readonly help: string;
  /** Under which title help lists it. */
  readonly group: string;
  /** What is done by the companion itself, and not by one request. */
  readonly local?: "help" | "quit" | "top" | "watch";
  /**
   * What is said to the server.
   *
   * @throws {RefusedError} when that version cannot say it
   */
  request(argument: string, version: 1 | 2): string;
  readonly view: View;
}

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

/** Commands that say a verb and what follows. */
const simple: readonly AdminCommand[] = [
  says("add user", "user [password]", USERS, "ADD", "add a user, or set the password"),
  says("delete user", "user", USERS, "DELE", "delete a user; the mail stays"),
  says("users", "", USERS, "LIST", "all users", users),
  says("list", "[user]", USERS, "LIST", "all users, or how many accesses one has", users),
  says("key add", "user label", USERS, "KEY ADD", "make an app password, shown once", secret),
  says("key delete", "user label", USERS, "KEY DELE", "delete an app password"),
  says("key list", "user", USERS, "KEY LIST", "a user's app passwords", keysView),
  says(
    "admin add",
    "name [password]",
    USERS,
    "ADMIN ADD",
    "add an administrator, or set the password",
  ),
  says("admin delete", "name", USERS, "ADMIN DELE", "delete an administrator"),
  says("admin list", "", USERS, "ADMIN LIST", "all administrators", plainLines),
  says("settings", "", SETTINGS, "SETTINGS", "every setting, and where it came from", settings),
  says("stat", "[metric]", FIGURES, "STAT", "every figure, or one", figures),
  says("history", "metric [number]", FIGURES, "HISTORY", "one figure, a line a minute", minutes),
  says("sessions", "", SESSIONS, "SESSIONS", "open sessions", sessions),
  says("kick", "session", SESSIONS, "KICK", "end a session"),
  says("logs", "user [number]", SESSIONS, "LOGS", "accesses of a user, the newest last", accesses),
  says("bans", "", SESSIONS, "BANS", "who is shut out for wrong passwords", bans),
  says("unban", "name", SESSIONS, "UNBAN", "let an address or a user in again"),
  says("capa", "", OTHER, "CAPA", "what the server can", plainLines),
  says("reload", "", OTHER, "RELOAD", "read certificates and config file again"),
  says("shutdown", "", OTHER, "SHUTDOWN", "end the server when its sessions have ended"),
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
  local("watch", "figures again and again, until Ctrl-C", FIGURES, "watch", ["[number]"]),
  local("help", "this, or more of one command", OTHER, "help", ["[text]"]),
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
  const taken = takeApart(line);
  if (taken === undefined) return undefined;
  const { verb } = taken;
  return {
    words: verb.name,
    arguments: verb.arguments,
    help: verb.help,
    group: "MSMP",
    ...verb.name === "WATCH" ? { local: "watch" } : verb.name === "QUIT" ? { local: "quit" } : {},
    request: (argument) => argument === "" ? verb.name : `${verb.name} ${argument}`,
    view: VIEWS[verb.name] ?? said,
  };
}

/** The commands of the protocol by name, for completion and help. */
export const PROTOCOL: readonly string[] = VERBS.map(({ name }) => name);

function says(
  words: string,
  args: string,
  group: string,
  verb: string,
  help: string,
  view: View = said,
): AdminCommand {
  return {
    words,
    arguments: args === "" ? [] : args.split(" ") as ArgumentKind[],
    help,
    group,
    request: (argument, version) => {
      const since = VERBS.find(({ name }) => name === verb)?.since ?? 1;
      if (since === 2) needsVersion2(words, version);
      // Version 1 tells all its figures at once.
      if (verb === "STAT" && version === 1) return verb;
      return argument === "" ? verb : `${verb} ${argument}`;
    },
    view,
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
