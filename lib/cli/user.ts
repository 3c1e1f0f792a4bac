/** `postern user`: manages the users of a state file that no server holds, or of a database, also beside servers. */

import { fileErrorReason } from "../files/file_error.ts";
import { quote } from "../bytes/quote.ts";
import type { Settings } from "../contracts/settings.ts";
import { didYouMean } from "../settings/suggest.ts";
import { openState } from "../state/open_state.ts";
import { isDatabase } from "../state/postgres/state_url.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import { AccountRegister } from "../auth/account_register.ts";
import { AccountSource } from "../auth/account_source.ts";
import { PasswdFile, type PasswdFileOptions } from "../auth/passwd/passwd_file.ts";
import { PasswordWork } from "../auth/password_work.ts";
import type { UserCommandContext } from "../auth/user_commands.ts";
import { json, safe } from "../terminal/safe_text.ts";
import { parseFlags } from "./flags.ts";
import { helpSection, paragraph } from "./help.ts";
import { answerHelp, flagsHelp, isGiven, type OwnFlag, ownFlag, withHelp } from "./own_flags.ts";
import { readSomeSettings, settingFlags, USERS_AND_NAMES } from "./some_settings.ts";
import { checkUsersFile } from "./user_check.ts";
import { complain, print } from "../terminal/output.ts";
import { UsageError } from "./usage_error.ts";
import { USER_ACTIONS, type UserAction } from "./user_actions.ts";

/** Settings that say which users there are, taken as `serve` takes them. */
const WHERE = [
  "state",
  "statePassword",
  "stateWait",
  ...USERS_AND_NAMES,
] as const;

const flags: readonly OwnFlag[] = withHelp([
  ...settingFlags(WHERE),
  ownFlag("json", undefined, "", "the outcome as a line of JSON"),
  ownFlag(
    "new-state",
    undefined,
    "",
    "set an empty or damaged state file aside and begin without users",
  ),
]);

/**
 * Runs `postern user`.
 *
 * @param args what follows the command's name
 * @returns the exit status
 * @throws {UsageError} when the arguments do not fit
 */
export async function runUser(args: readonly string[]): Promise<number> {
  const helped = answerHelp(args, help);
  if (helped !== undefined) return helped;
  const { values, rest } = parseFlags(args, flags);
  const asJson = isGiven(values, "json");
  const [first, file, ...more] = rest;
  if (first === "check") {
    if (file === undefined || more.length > 0) {
      throw new UsageError("expected postern user check FILE");
    }
    return await checkUsersFile(file, await readSomeSettings(WHERE, values), asJson);
  }
  const { action, words } = chooseAction(rest);
  const settings = await readSomeSettings(WHERE, values);
  if (settings.state === ":memory:") {
    throw new UsageError("--state :memory: keeps nothing: expected a file");
  }
  const newState = isGiven(values, "new-state");
  // Asked for before the state is taken hold of, which no server can use meanwhile.
  const work = await action.prepare(words);
  return await report(asJson, async (lines) => {
    await using held = await open(settings, { makes: action.makes, newState });
    const outcome = await work(held.context);
    if (!outcome.ok) return outcome.message;
    for await (const line of outcome.lines) lines.push(line);
    return undefined;
  }, action);
}

function help(): string {
  const lines = USER_ACTIONS.map(({ words, usage, help }) => ({
    flag: `${words} ${usage}`.trim(),
    help,
  }));
  lines.push({
    flag: "check FILE",
    help: "say which lines of a passwd-file would not serve, and why; changes nothing",
  });
  return [
    "Usage: postern user [flags] command",
    paragraph(
      "Manages the users in a state file while no server is running, or in a database, also beside servers; use postern admin " +
        "for a running server.",
    ),
    helpSection("Commands", lines),
    paragraph(
      "The password is asked for on a terminal, or read from the first line of standard input. NAME:@FILE reads it from a " +
        "file; NAME:PASS also works, but process lists show it.",
    ),
    flagsHelp(flags),
    "Exit status: 0 done, 1 failed, 2 wrong usage.",
  ].join("\n\n");
}

function chooseAction(rest: readonly string[]): { action: UserAction; words: readonly string[] } {
  const found = USER_ACTIONS.find(({ words }) => {
    const wanted = words.split(" ");
    return wanted.every((word, at) => word === rest[at]);
  });
  if (found === undefined) {
    const names = [...USER_ACTIONS.map(({ words }) => words), "check"];
    const given = rest.slice(0, 2).join(" ");
    if (rest.length === 0) throw new UsageError(`expected postern user ${names.join(", ")}`);
    throw new UsageError(
      `unknown command ${quote(`user ${rest[0]}`)}${
        didYouMean(given, names) || didYouMean(rest[0]!, names) || `: expected ${names.join(", ")}`
      }`,
    );
  }
  const words = rest.slice(found.words.split(" ").length);
  const needed = found.usage === "" ? 0 : found.usage.split(" ").length;
  if (words.length !== needed) {
    throw new UsageError(`expected postern user ${found.words} ${found.usage}`.trimEnd());
  }
  return { action: found, words };
}

type UserSettings = Pick<Settings, (typeof WHERE)[number]>;

interface Held extends AsyncDisposable {
  readonly context: UserCommandContext;
}

/** Takes hold of the state file. @throws {Refusal} when it cannot be used */
async function open(
  settings: UserSettings,
  { makes, newState }: { readonly makes: boolean; readonly newState: boolean },
): Promise<Held> {
  const { state: path, users, statePassword: _, stateWait: __, ...rules } = settings;
  if (!makes && !isDatabase(path) && !await exists(path)) {
    throw new Refusal(
      `There is no state file ${path}. Name it with --state; postern user add makes one`,
    );
  }
  const warn = (sentence: string): void => complain(`postern: ${safe(sentence)}`);
  const { state } = await openState({
    place: settings,
    newState: newState && makes,
    warn,
    schema: makes ? "make" : "read",
  });
  try {
    const secret = await state.installation.secret();
    const file = users === undefined
      ? undefined
      : await readPasswdFile({ path: users, secret, learned: state.learned, ...rules });
    const register = new AccountRegister({
      accounts: state.users,
      source: await AccountSource.open(state.users),
      work: new PasswordWork(),
      file,
      ...rules,
    });
    return {
      context: { accounts: state.users, register, fields: state.fields },
      [Symbol.asyncDispose]: () => state[Symbol.asyncDispose](),
    };
  } catch (error) {
    await state[Symbol.asyncDispose]();
    throw error;
  }
}

/** Reads the passwd-file; what is wrong with it is the user's to mend. @throws {Refusal} */
async function readPasswdFile(options: PasswdFileOptions): Promise<PasswdFile> {
  try {
    return await PasswdFile.read(options);
  } catch (error) {
    throw error instanceof Error ? new Refusal(error.message) : error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new Refusal(`${path} cannot be used: ${fileErrorReason(error)}`);
  }
}

/** Why nothing was done, as a sentence. */
class Refusal extends Error {}

/** Runs the work and says how it ended. */
async function report(
  asJson: boolean,
  work: (lines: string[]) => Promise<string | undefined>,
  action: UserAction,
): Promise<number> {
  const lines: string[] = [];
  let refusal: string | undefined;
  try {
    refusal = await work(lines);
  } catch (error) {
    if (!(error instanceof StateStoreError) && !(error instanceof Refusal)) throw error;
    refusal = error.message;
  }
  if (refusal !== undefined) {
    if (asJson) print(`${json({ ok: false, message: refusal })}\n`);
    complain(`postern: ${safe(refusal)}`);
    return 1;
  }
  if (asJson) print(`${json(action.json(lines))}\n`);
  else if (lines.length > 0) print(`${lines.map(safe).join("\n")}\n`);
  return 0;
}
