/** Takes users over from another server's passwd-file into the state (`postern user import FILE`). */

import type { Account, AccountStore } from "../contracts/account_store.ts";
import type { AccountRegister } from "./account_register.ts";
import { passwdEntries, type PasswdEntry, type RefusedLine } from "./passwd/passwd_entry.ts";
import { pwdUsers } from "./pwd_files.ts";
import { sameKey } from "./scram_keys.ts";

/** What was taken over. */
export interface ImportOutcome {
  readonly added: number;
  readonly updated: number;
  /** Users who were left as they are, because the file's keys are under another salt than their app passwords. */
  readonly kept: readonly string[];
}

/** What users are imported into. */
export interface ImportOptions {
  readonly accounts: AccountStore;
  readonly register: AccountRegister;
  /** @default {Date.now} */
  readonly now?: () => number;
}

/** What an import needs of a user. */
type ImportedEntry = Pick<PasswdEntry, "secret">;

/** Users written in one transaction. */
const BATCH = 1000;

/**
 * Imports a passwd-file. Clear passwords become SCRAM keys at once, hashes of other servers at their user's first good login.
 * The whole file is read before anything is written.
 *
 * @param text the file's text
 * @param path its name, for messages
 * @throws {SyntaxError} naming file and line, when a line is wrong; nothing was imported then
 */
export async function importUsers(
  text: string,
  path: string,
  options: ImportOptions,
): Promise<ImportOutcome> {
  const { register } = options;
  const entries = new Map<string, PasswdEntry>();
  const refuse = (line: RefusedLine): never => {
    throw new SyntaxError(line);
  };
  for (const { line, ...entry } of passwdEntries(text, path, refuse)) {
    const name = register.canonical(entry.name);
    if (entries.has(name)) refuse(`${path}, line ${line}: duplicate user ${name}`);
    entries.set(name, entry);
  }
  return await importEntries(entries, options);
}

/**
 * Imports the users of a mail folder whose passwords are the names of `*.pwd` files. All are read before anything is written.
 *
 * @throws {Error} of the file system, when a folder cannot be read; nothing was imported then
 */
export async function importPwdFiles(
  folder: string,
  options: ImportOptions,
): Promise<ImportOutcome> {
  const entries = new Map<string, ImportedEntry>();
  for await (const { name, password } of pwdUsers(folder)) {
    const canonical = options.register.canonical(name);
    entries.set(canonical, { secret: { kind: "clear", password } });
  }
  return await importEntries(entries, options);
}

async function importEntries(
  entries: ReadonlyMap<string, ImportedEntry>,
  options: ImportOptions,
): Promise<ImportOutcome> {
  const { accounts, register } = options;
  const kept: string[] = [];
  let [added, updated] = [0, 0];
  const all = [...entries];
  for (let start = 0; start < all.length; start += BATCH) {
    const made = await Promise.all(
      all.slice(start, start + BATCH).map(async ([name, entry]) => {
        const account = await accountOf(name, entry, options);
        if (!account) kept.push(name);
        return account ? [account] : [];
      }),
    );
    const written = await accounts.putAll(made.flat());
    added += written.added;
    updated += written.updated;
  }
  await register.changed();
  return { added, updated, kept };
}

/** Makes the account of a line, or undefined where the user's app passwords stand against it. */
async function accountOf(
  name: string,
  { secret }: ImportedEntry,
  { register, now = Date.now }: ImportOptions,
): Promise<Account | undefined> {
  if (secret.kind === "clear") return await register.account(name, secret.password, "import");
  const account = { name, origin: "import", at: now() } as const;
  if (secret.kind === "foreign") {
    const { salt, iterations } = await register.salting(name);
    return { ...account, salt, iterations, password: secret };
  }
  const { salt, iterations } = secret.keys;
  const keys = await register.listKeys(name) ?? [];
  const present = await register.salting(name);
  const same = present.iterations === iterations && sameKey(present.salt, salt);
  if (keys.length > 0 && !same) return undefined;
  return { ...account, salt, iterations, password: { kind: "keys", keys: secret.keys } };
}
