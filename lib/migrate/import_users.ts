/** Takes users over into the state so that it can be taken back. */

import type { AccountRegister } from "../auth/account_register.ts";
import type { PasswdSecret } from "../auth/passwd/passwd_entry.ts";
import type { PasswordWork } from "../auth/password_work.ts";
import { sameKey } from "../auth/scram_keys.ts";
import type { Account, AccountPassword, AccountStore } from "../contracts/account_store.ts";
import type { AccessLog } from "../contracts/record_store.ts";
import { type UndoneUser, UserUndo } from "./user_undo.ts";

/** What users are imported into. */
export interface UserImport {
  readonly accounts: AccountStore;
  readonly register: AccountRegister;
  readonly work: PasswordWork;
  readonly accesses: AccessLog;
}

/** What would become of users. */
export interface UserPlan {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  /** Users who have this password already. */
  readonly same: readonly string[];
  /** Users who must stay as they are, each with its reason. */
  readonly refused: readonly string[];
  readonly accounts: readonly Account[];
  /** The accounts of those who are changed, as they were. */
  readonly before: readonly Account[];
}

/** Users written in one transaction. */
const BATCH = 1000;

/** Finds out what an import would do, and makes what it would write. */
export async function planUsers(
  users: ReadonlyMap<string, PasswdSecret>,
  { accounts, register, work }: UserImport,
): Promise<UserPlan> {
  const plan = {
    added: [] as string[],
    changed: [] as string[],
    same: [] as string[],
    refused: [] as string[],
    accounts: [] as Account[],
    before: [] as Account[],
  };
  for (const [name, secret] of users) {
    const existing = await accounts.find(name);
    if (existing !== undefined && await isSame(existing, secret, work)) {
      plan.same.push(name);
      continue;
    }
    const account = await accountOf(name, secret, register, existing);
    if (account === undefined) {
      plan.refused.push(`${name} has app passwords under another salt; delete them first`);
      continue;
    }
    plan.accounts.push(account);
    if (existing === undefined) plan.added.push(name);
    else {
      plan.changed.push(name);
      const { salt, iterations, password, origin, at } = existing;
      plan.before.push({ name, salt, iterations, password, origin, at });
    }
  }
  return plan;
}

/** Writes a plan. What was there before is written to the undo file first. */
export async function writeUsers(
  plan: UserPlan,
  { accounts, register }: UserImport,
  undo: UserUndo,
): Promise<void> {
  undo.keep(plan.accounts, plan.before, Date.now());
  for (let at = 0; at < plan.accounts.length; at += BATCH) {
    await accounts.putAll(plan.accounts.slice(at, at + BATCH));
  }
  await register.changed();
}

/** What an undo did. */
export interface UserUndoOutcome {
  readonly deleted: readonly string[];
  readonly restored: readonly string[];
  /** Users who were left as they are, each with its reason. */
  readonly left: readonly string[];
}

/**
 * Puts back what there was before the last import, but for users who have logged in, or whose password was set, since.
 *
 * @returns undefined when there was no import, or it was taken back already
 */
export async function undoUsers(
  context: UserImport,
  undo: UserUndo,
  force: boolean,
): Promise<UserUndoOutcome | undefined> {
  const kept = undo.read();
  if (kept === undefined) return undefined;
  const [deleted, restored, left]: [string[], string[], string[]] = [[], [], []];
  const still: UndoneUser[] = [];
  for (const user of kept.users) {
    const reason = force ? undefined : await refuse(context, user, kept.at);
    if (reason !== undefined) {
      left.push(`${user.name}: ${reason}`);
      still.push(user);
    } else if (user.before === undefined) {
      if (await context.accounts.delete(user.name) === "deleted") deleted.push(user.name);
    } else {
      await context.accounts.putAll([user.before]);
      restored.push(user.name);
    }
  }
  await context.register.changed();
  undo.replace(still, kept.at);
  return { deleted, restored, left };
}

/** Why a user is left as he is. */
async function refuse(
  { accounts, accesses }: UserImport,
  user: UndoneUser,
  at: number,
): Promise<string | undefined> {
  const account = await accounts.find(user.name);
  // Already gone, or never written: there is nothing to take back but what was there.
  if (account === undefined) return user.before === undefined ? undefined : "it was deleted since";
  const [last] = (await accesses.list(user.name, 1)).toReversed();
  if (last !== undefined && last.at >= at) return "it has logged in since";
  if (user.before !== undefined && isSamePassword(account.password, user.before.password)) {
    return undefined;
  }
  if (isSamePassword(account.password, user.after)) {
    const { salt } = user.before ?? account;
    return account.appPasswords.length > 0 && !sameKey(salt, account.salt)
      ? "it has app passwords since"
      : undefined;
  }
  return user.after.kind === "foreign" && account.password.kind === "keys"
    ? "it has logged in, or got another password, since"
    : "it got another password since";
}

function isSamePassword(one: AccountPassword, other: AccountPassword): boolean {
  if (one.kind === "keys") {
    return other.kind === "keys" && sameKey(one.keys.storedKey, other.keys.storedKey);
  }
  return other.kind === "foreign" && one.hash.data === other.hash.data;
}

async function isSame(
  existing: Account,
  secret: PasswdSecret,
  work: PasswordWork,
): Promise<boolean> {
  if (secret.kind === "foreign") return isSamePassword(existing.password, secret);
  if (existing.password.kind !== "keys") return false;
  if (secret.kind === "keys") {
    return sameKey(existing.password.keys.storedKey, secret.keys.storedKey);
  }
  const keys = await work.derive(secret.password, existing);
  return sameKey(existing.password.keys.storedKey, keys.storedKey);
}

/** Makes the account, or nothing where the user's app passwords stand against it. */
async function accountOf(
  name: string,
  secret: PasswdSecret,
  register: AccountRegister,
  existing: (Account & { readonly appPasswords: readonly unknown[] }) | undefined,
): Promise<Account | undefined> {
  if (secret.kind === "clear") return await register.account(name, secret.password, "import");
  const account = { name, origin: "import", at: Date.now() } as const;
  if (secret.kind === "foreign") {
    const { salt, iterations } = await register.salting(name);
    return { ...account, salt, iterations, password: secret };
  }
  const { salt, iterations, storedKey, serverKey } = secret.keys;
  const isOther = existing !== undefined && existing.appPasswords.length > 0 &&
    !(existing.iterations === iterations && sameKey(existing.salt, salt));
  if (isOther) return undefined;
  return {
    ...account,
    salt,
    iterations,
    password: { kind: "keys", keys: { storedKey, serverKey } },
  };
}
