/** The commands of `postern user`: what each takes, and what it does to an open state. */

import { fileErrorReason } from "../files/file_error.ts";
import {
  addUser,
  addUserKey,
  changePassword,
  deleteUser,
  deleteUserKey,
  enableUser,
  importUserFile,
  importUserFolder,
  listUserKeys,
  listUsers,
  setUserField,
  type UserCommandContext,
  type UserCommandOutcome,
} from "../auth/user_commands.ts";
import { safe } from "../terminal/safe_text.ts";
import { askNewSecret } from "../terminal/ask_secret.ts";
import { readKey } from "../msmp_client/records.ts";
import { Keyboard } from "../terminal/keyboard.ts";
import { readNameAndPassword } from "./name_and_password.ts";
import { StandardInput } from "../terminal/standard_input.ts";
import { UsageError } from "./usage_error.ts";

/** Does the work on the open state. */
export type UserWork = (
  context: UserCommandContext,
) => UserCommandOutcome | Promise<UserCommandOutcome>;

/** One command. */
export interface UserAction {
  /** What is typed: `key add`. */
  readonly words: string;
  /** The arguments, one word each. */
  readonly usage: string;
  readonly help: string;
  /** Whether a state file is made where there is none. */
  readonly makes: boolean;
  /**
   * Reads and asks for everything that is needed.
   *
   * @throws {UsageError} when something is missing
   */
  prepare(words: readonly string[]): Promise<UserWork>;
  /** What came out, for `--json`. */
  json(lines: readonly string[]): unknown;
}

const message = (lines: readonly string[]): unknown => ({
  ok: true,
  message: lines[0] ?? "",
  ...lines.length > 1 ? { more: lines.slice(1) } : {},
});

/** All commands; of two that fit, the first is meant. */
export const USER_ACTIONS: readonly UserAction[] = [
  {
    words: "add",
    usage: "NAME",
    help: "add a user; NAME, NAME:@FILE or NAME:PASS",
    makes: true,
    prepare: ([given = ""]) => withPassword(given, addUser),
    json: message,
  },
  {
    words: "passwd",
    usage: "NAME",
    help: "set a user's password; NAME, NAME:@FILE or NAME:PASS",
    makes: false,
    prepare: ([given = ""]) => withPassword(given, changePassword),
    json: message,
  },
  {
    words: "delete",
    usage: "NAME",
    help: "delete a user; the mail stays",
    makes: false,
    prepare: ([name = ""]) => Promise.resolve((context) => deleteUser(context, name)),
    json: message,
  },
  {
    words: "disable",
    usage: "NAME",
    help: "keep a user out; mail and password stay",
    makes: false,
    prepare: ([name = ""]) => Promise.resolve((context) => enableUser(context, name, false)),
    json: message,
  },
  {
    words: "enable",
    usage: "NAME",
    help: "let a user in again",
    makes: false,
    prepare: ([name = ""]) => Promise.resolve((context) => enableUser(context, name, true)),
    json: message,
  },
  {
    words: "set",
    usage: "NAME FIELD VALUE",
    help: "set mailbox, home, quota, trash or deletes of a user; - takes it away",
    makes: false,
    prepare: ([name = "", field = "", value = ""]) =>
      Promise.resolve((context) => setUserField(context, name, field, value)),
    json: message,
  },
  {
    words: "list",
    usage: "",
    help: "all users, a line each",
    makes: false,
    prepare: () => Promise.resolve(listUsers),
    json: (lines) => lines,
  },
  {
    words: "key add",
    usage: "NAME LABEL",
    help:
      "make an app password, shown once; expires=…, networks=… and read-only may stand behind LABEL",
    makes: false,
    prepare: ([name = "", label = ""]) =>
      Promise.resolve((context) => addUserKey(context, name, label)),
    json: ([password]) => ({ password }),
  },
  {
    words: "key delete",
    usage: "NAME LABEL",
    help: "delete an app password",
    makes: false,
    prepare: ([name = "", label = ""]) =>
      Promise.resolve((context) => deleteUserKey(context, name, label)),
    json: message,
  },
  {
    words: "key list",
    usage: "NAME",
    help: "a user's app passwords",
    makes: false,
    prepare: ([name = ""]) => Promise.resolve((context) => listUserKeys(context, name)),
    json: (lines) =>
      lines.map((line) => ({
        ...readKey(`${line.slice(0, 10)} 00:00:00 ${line.slice(11)}`),
        made: line.slice(0, 10),
      })),
  },
  {
    words: "import",
    usage: "FILE",
    help:
      "take over the users of a passwd-file, NAME:{SCHEME}DATA a line; - is standard input; of a folder, those with *.pwd files",
    makes: true,
    prepare: ([path = ""]) => importFrom(path),
    json: message,
  },
];

async function withPassword(
  given: string,
  work: (
    context: UserCommandContext,
    name: string,
    password: string,
  ) => Promise<UserCommandOutcome>,
): Promise<UserWork> {
  const { name, password } = await readNameAndPassword(given, "NAME");
  const found = password ?? await askPassword(name);
  if (!found) throw new UsageError("no password: expected one, of a line of text");
  return (context) => work(context, name, found);
}

async function askPassword(name: string): Promise<string | undefined> {
  if (!Deno.stdin.isTerminal()) return await new StandardInput().next();
  using keyboard = new Keyboard();
  return await askNewSecret(keyboard, safe(name));
}

async function importFrom(path: string): Promise<UserWork> {
  let text: string;
  try {
    if (path !== "-" && (await Deno.stat(path)).isDirectory) {
      return (context) => importUserFolder(context, path);
    }
    text = path === "-"
      ? await new Response(Deno.stdin.readable).text()
      : await Deno.readTextFile(path);
  } catch (error) {
    return () => ({ ok: false, message: `${path} cannot be read: ${fileErrorReason(error)}` });
  }
  return (context) => importUserFile(context, text, path === "-" ? "standard input" : path);
}
