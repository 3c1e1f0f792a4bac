/** Users and administrators: what verifies them, and what manages them. */

import { logger } from "../log/logging.ts";
import type { AccountKind } from "../contracts/account_store.ts";
import type { StateStore } from "../contracts/state_store.ts";
import type { Settings } from "../contracts/settings.ts";
import { AccountRegister } from "./account_register.ts";
import { AccountSource } from "./account_source.ts";
import { applyFlags, type FlagOutcome } from "./apply_flags.ts";
import { readFlagAccounts } from "./flag_value.ts";
import { ForeignHashes } from "./foreign_hashes/foreign_hashes.ts";
import { KeyLearner } from "./key_learner.ts";
import type { RefusedLine } from "./passwd/passwd_entry.ts";
import { PasswdFile } from "./passwd/passwd_file.ts";
import { PasswordWork } from "./password_work.ts";
import { PwdFiles } from "./pwd_files.ts";
import { SourceDirectory } from "./source_directory.ts";
import { AuthHook } from "./hook/auth_hook.ts";
import { hookTransport } from "./hook/hook_transport.ts";
import { HookedDirectory } from "./hook/hooked_directory.ts";
import type { BearerVerifier, UserDirectory } from "../contracts/user_directory.ts";
import { refuseUserName } from "../bytes/user_name.ts";
import { UserRecords } from "./user_records.ts";
import { VerificationCache } from "./verification_cache.ts";
import { StartError } from "../net/start_error.ts";

const log = logger("users");

/** For how long a thread that checks imported passwords is kept without work; starting one takes as long as a check. */
const KEEP_THREADS_MS = 10_000;
/** Lines of a passwd-file that are named when they cannot be taken; of more only the number is told. */
const MOST_REFUSED_LINES = 20;

/** One kind of accounts. */
export interface AccountFamily {
  readonly register: AccountRegister;
  readonly directory: SourceDirectory;
}

/** All accounts. Disposing ends the threads that check passwords. */
export interface Accounts extends Disposable {
  readonly users: AccountFamily;
  readonly administrators: AccountFamily;
  /** Checks users' logins, by the hook where there is one. */
  readonly logins: UserDirectory & Pick<HookedDirectory, "find">;
  /** What is known of users besides their secrets. */
  readonly records: UserRecords;
  /** The passwd-file, where there is one. */
  readonly file: PasswdFile | undefined;
}

/** What accounts are opened with. */
export interface AccountsOptions {
  readonly state: StateStore;
  readonly settings: Settings;
  readonly bearer?: BearerVerifier | undefined;
  /** The variable PATH, for a hook that is a program. */
  readonly path?: string;
  /** The mail folder now, for `--pwd-files`. @default the one of `settings` */
  readonly maildir?: () => string;
}

/**
 * Opens users and administrators, and applies `-u` and `-a` (operations.md, "One program").
 *
 * @throws {StartError} when a flag or the passwd-file is wrong
 */
export async function openAccounts(
  { state, settings, bearer, path = "", maildir }: AccountsOptions,
): Promise<Accounts> {
  const secret = await state.installation.secret();
  const work = new PasswordWork();
  const foreign = new ForeignHashes({ keep: KEEP_THREADS_MS });
  const learner = new KeyLearner({
    onTrouble: (error) =>
      log.warn("Cannot save SCRAM keys derived at login, retrying: {error}", { error }),
    onKept: () => log.info("SCRAM keys derived at login are saved again"),
  });
  const { defaultDomain, names, recipientDelimiter } = settings;
  const rules = { defaultDomain, names, recipientDelimiter };
  const file = await wrongInput(async () =>
    settings.users === undefined ? undefined : await PasswdFile.read({
      path: settings.users,
      secret,
      learned: state.learned,
      ...rules,
      onRefused: warnOfRefused,
    })
  );
  const pwdFiles = settings.pwdFiles
    ? new PwdFiles({ maildir: maildir ?? (() => settings.maildir), defaultDomain, secret })
    : undefined;
  const open = async (kind: AccountKind): Promise<AccountFamily> => {
    const isUsers = kind === "user";
    const accounts = isUsers ? state.users : state.administrators;
    const source = await AccountSource.open(accounts);
    const cache = new VerificationCache();
    const rulesOfKind = isUsers ? rules : {};
    const fileOfKind = isUsers ? file : undefined;
    const register = new AccountRegister({
      accounts,
      source,
      work,
      cache,
      file: fileOfKind,
      ...rulesOfKind,
    });
    const directory = new SourceDirectory({
      sources: [source, fileOfKind, isUsers ? pwdFiles : undefined]
        .filter((each) => each !== undefined),
      secret,
      ...rulesOfKind,
      bearer: isUsers ? bearer : undefined,
      work,
      foreign,
      cache,
      learner,
    });
    const values = isUsers ? settings.user : settings.admin;
    const given = await wrongInput(() => readFlagAccounts(values, isUsers ? "-u" : "-a"));
    warnOfUnusable(given.map(({ name }) => name));
    tell(kind, await wrongInput(() => applyFlags(given, { accounts, register, work })));
    return { register, directory };
  };
  const [users, administrators] = [await open("user"), await open("administrator")];
  const hook = openHook(settings, path);
  const logins = hook === undefined
    ? users.directory
    : new HookedDirectory(users.directory, hook, rules);
  return {
    users,
    administrators,
    logins,
    records: new UserRecords({ directory: logins, fields: state.fields }),
    file,
    [Symbol.dispose]: () => {
      foreign[Symbol.dispose]();
      hook?.[Symbol.dispose]();
    },
  };
}

/** The hook that knows further users, where there is one. @throws {StartError} when it is none */
function openHook(settings: Settings, path: string): AuthHook | undefined {
  const { authHook, authCache, authHookTimeout } = settings;
  if (authHook === undefined) return undefined;
  try {
    return new AuthHook({
      transport: hookTransport(authHook, path),
      rules: settings,
      timeout: authHookTimeout * 1000,
      remember: authCache * 1000,
    });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new StartError(`--auth-hook cannot be used: ${error.message}`, { cause: error });
  }
}

/** A line that cannot be taken keeps no other from serving. */
function warnOfRefused(lines: readonly RefusedLine[]): void {
  for (const line of lines.slice(0, MOST_REFUSED_LINES)) {
    log.warn("Ignoring a line of the users file: {line}", { line });
  }
  const more = lines.length - MOST_REFUSED_LINES;
  if (more > 0) log.warn("Ignoring {more} more lines of the users file", { more });
}

/** Whoever wrote such a name down is told; nobody reaches a mailbox's own folders by it. */
function warnOfUnusable(names: readonly string[]): void {
  for (const name of names) {
    const reason = refuseUserName(name);
    if (reason !== undefined) log.warn("Nobody can log in as {name}: {reason}", { name, reason });
  }
}

/** Says what the flags of this start brought about. */
function tell(kind: AccountKind, outcomes: readonly FlagOutcome[]): void {
  const flag = kind === "user" ? "-u" : "-a";
  for (const { name, kind: outcome } of outcomes) {
    if (outcome === "added" || outcome === "changed") {
      log.info(`The ${kind} {name} was ${outcome} by ${flag}`, { name });
    } else if (outcome === "left-deleted") {
      log.warn(
        `The ${kind} {name} of ${flag} was deleted while a server ran, and stays so until the flag's password changes`,
        { name },
      );
    }
  }
}

/** What the person who started the server wrote wrong is theirs to mend. */
async function wrongInput<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new StartError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
