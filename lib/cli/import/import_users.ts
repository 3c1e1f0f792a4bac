/** `postern import users`: takes over users with the password hashes that another server has of them. */

import { AccountRegister } from "../../auth/account_register.ts";
import { AccountSource } from "../../auth/account_source.ts";
import { PasswordWork } from "../../auth/password_work.ts";
import { quote } from "../../bytes/quote.ts";
import { StateStoreError } from "../../contracts/state_store.ts";
import { fileErrorReason } from "../../files/file_error.ts";
import { planUsers, undoUsers, type UserImport, writeUsers } from "../../migrate/import_users.ts";
import { readUserList, USER_FORMATS, type UserFormat } from "../../migrate/user_lists.ts";
import { UserUndo, UserUndoError } from "../../migrate/user_undo.ts";
import { didYouMean } from "../../settings/suggest.ts";
import { SqliteState } from "../../state/sqlite/sqlite_state.ts";
import { StateFile } from "../../state/state_file.ts";
import { canonicalName } from "../../bytes/canonical_name.ts";
import { parseFlags } from "../flags.ts";
import { paragraph } from "../help.ts";
import { flagsHelp, isGiven, type OwnFlag, ownFlag } from "../own_flags.ts";
import { readSomeSettings, settingFlags } from "../some_settings.ts";
import { count } from "../state_report.ts";
import { UsageError } from "../usage_error.ts";
import { answerOwnHelp, commonFlags, Speaker } from "./import_flags.ts";

/** Settings that say which users there are, taken as `serve` takes them. */
const WHERE = ["state", "defaultDomain", "names", "recipientDelimiter", "config"] as const;

const flags: readonly OwnFlag[] = [
  ownFlag("from", undefined, "FORMAT", USER_FORMATS.join(", ")),
  ownFlag("scheme", undefined, "NAME", "the scheme of hashes that name none, such as SSHA512"),
  ownFlag("strict", undefined, "", "take nothing where a line cannot be taken"),
  ...settingFlags(WHERE),
  ...commonFlags,
];

/**
 * Runs `postern import users`.
 *
 * @throws {UsageError} when the arguments do not fit
 */
export async function runImportUsers(args: readonly string[]): Promise<number> {
  const helped = answerOwnHelp(args, help);
  if (helped !== undefined) return helped;
  const { values, rest } = parseFlags(args, flags);
  const speaker = new Speaker(isGiven(values, "json"));
  const [isUndo, isWrite] = [isGiven(values, "undo"), isGiven(values, "write")];
  if (isUndo && isWrite) throw new UsageError("expected --write or --undo, not both");
  if (rest.length > 1 || (isUndo ? rest.length > 0 : rest.length === 0)) {
    throw new UsageError(
      "expected postern import users --from FORMAT FILE, or postern import users --undo",
    );
  }
  const settings = await readSomeSettings(WHERE, values);
  if (settings.state === ":memory:") {
    throw new UsageError("--state :memory: keeps nothing: expected a file");
  }
  const undo = new UserUndo(settings.state);
  try {
    if (isUndo) return await takeBack(settings, undo, isGiven(values, "force"), speaker);
    const asked = {
      from: readFormat(values.get("from")?.[0]),
      scheme: values.get("scheme")?.[0],
      canonical: (name: string) => canonicalName(name, settings),
    };
    const list = readUserList(await readText(rest[0]!), asked);
    for (const line of list.refused) speaker.tell(`${rest[0]!}, ${line}`);
    const isStopped = isGiven(values, "strict") && list.refused.length > 0;
    // A dry run makes no state file.
    const isThere = new StateFile(settings.state).presence === "present";
    if (!isWrite && !isThere) {
      return tellSum(speaker, { ...NONE, added: list.users.size, refused: list.refused.length });
    }
    await using held = await open(settings);
    const plan = await planUsers(list.users, held.context);
    for (const line of plan.refused) speaker.tell(line);
    if (isGiven(values, "verbose")) {
      for (const name of plan.added) speaker.detail(`${name}: added`);
      for (const name of plan.changed) speaker.detail(`${name}: changed`);
      for (const name of plan.same) speaker.detail(`${name}: has this password already`);
    }
    const isWritten = isWrite && !isStopped && plan.accounts.length > 0;
    if (isWritten) await writeUsers(plan, held.context, undo);
    return tellSum(speaker, {
      added: plan.added.length,
      changed: plan.changed.length,
      same: plan.same.length,
      refused: list.refused.length + plan.refused.length,
      written: isWritten,
      stopped: isWrite && isStopped,
    });
  } catch (error) {
    if (!(error instanceof StateStoreError) && !(error instanceof UserUndoError)) throw error;
    speaker.tell(error.message);
    return 1;
  }
}

interface Sum {
  readonly added: number;
  readonly changed: number;
  readonly same: number;
  readonly refused: number;
  readonly written: boolean;
  readonly stopped: boolean;
}

const NONE: Sum = { added: 0, changed: 0, same: 0, refused: 0, written: false, stopped: false };

function tellSum(speaker: Speaker, sum: Sum): number {
  const { added, changed, same, refused, written, stopped } = sum;
  const end = stopped ? "; nothing is written (--strict)" : written ? "; written" : "";
  speaker.say(
    `${count(added + changed + same, "user")}: ${added} added, ${changed} changed, ` +
      `${same} as they are, ${refused} refused${end}`,
    { ...sum },
  );
  return refused === 0 ? 0 : 1;
}

async function takeBack(
  settings: Where,
  undo: UserUndo,
  force: boolean,
  speaker: Speaker,
): Promise<number> {
  if (new StateFile(settings.state).presence !== "present") {
    speaker.tell(`There is no state file ${settings.state}. Name it with --state`);
    return 1;
  }
  await using held = await open(settings);
  const outcome = await undoUsers(held.context, undo, force);
  if (outcome === undefined) {
    speaker.say("Nothing to undo", { undone: false });
    return 1;
  }
  const { deleted, restored, left } = outcome;
  for (const line of left) speaker.tell(`left as it is: ${line}`);
  speaker.say(
    `${deleted.length} deleted again, ${restored.length} put back, ${left.length} left as they are`,
    { undone: true, deleted: deleted.length, restored: restored.length, left: left.length },
  );
  return left.length === 0 ? 0 : 1;
}

function readFormat(text: string | undefined): UserFormat {
  const names = USER_FORMATS.join(", ");
  if (text === undefined) throw new UsageError(`--from is missing: expected one of ${names}`);
  const found = USER_FORMATS.find((format) => format === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `--from ${quote(text)} is not known${didYouMean(text, USER_FORMATS) || `: expected ${names}`}`,
  );
}

async function readText(path: string): Promise<string> {
  try {
    return path === "-"
      ? await new Response(Deno.stdin.readable).text()
      : new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
  } catch (error) {
    const reason = error instanceof TypeError ? "it is not valid UTF-8" : fileErrorReason(error);
    throw new UsageError(`${path} cannot be read: ${reason}`, { cause: error });
  }
}

type Where = Awaited<ReturnType<typeof readSomeSettings<(typeof WHERE)[number]>>>;

/** Takes hold of the state file. @throws {StateStoreError} when it cannot be used */
async function open(
  { state: path, ...rules }: Where,
): Promise<AsyncDisposable & { readonly context: UserImport }> {
  const state = await SqliteState.open({ path });
  const work = new PasswordWork();
  const register = new AccountRegister({
    accounts: state.users,
    source: await AccountSource.open(state.users),
    work,
    ...rules,
  });
  return {
    context: { accounts: state.users, register, work, accesses: state.accesses },
    [Symbol.asyncDispose]: () => state[Symbol.asyncDispose](),
  };
}

function help(): string {
  return [
    "Usage: postern import users [flags] --from FORMAT FILE",
    paragraph(
      "Takes over users from another server's list, with their password hashes; - is standard input. Says first what would come " +
        "of it; --write writes. passwd is Dovecot's and Courier's name:{SCHEME}data, sql an export name,{SCHEME}data, sasldb " +
        "name@realm: userPassword: password. No server may run.",
    ),
    flagsHelp(flags),
    "Exit status: 0 all lines taken, 1 some not, or it failed, 2 wrong usage.",
  ].join("\n\n");
}
