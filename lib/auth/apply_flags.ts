/** Brings `-u` and `-a` and the state together at the start. */

import type { Account, AccountStore, FlagMemory } from "../contracts/account_store.ts";
import type { AccountRegister } from "./account_register.ts";
import type { FlagAccount } from "./flag_value.ts";
import type { PasswordWork } from "./password_work.ts";
import { sameKey } from "./scram_keys.ts";

/** What became of an account that a flag names. */
export interface FlagOutcome {
  readonly name: string;
  /** `kept`: the flag says what it said at the last start; `left-deleted`: so it does, and the account was deleted since. */
  readonly kind: "added" | "changed" | "kept" | "left-deleted";
}

/** What flags are applied to. */
export interface ApplyFlagsOptions {
  readonly accounts: AccountStore;
  readonly register: AccountRegister;
  readonly work: PasswordWork;
}

/**
 * Creates accounts that are absent, and sets passwords whose flag changed since the last start. One that was deleted, or whose password
 * was changed, while the server ran stays so until its flag's value changes. What the flags say is remembered as keys, never in clear.
 *
 * @throws {SyntaxError} when two flags mean the same account
 */
export async function applyFlags(
  flags: readonly FlagAccount[],
  options: ApplyFlagsOptions,
): Promise<readonly FlagOutcome[]> {
  const { accounts, register } = options;
  const remembered = await accounts.flags();
  const memories = new Map(remembered.map((memory) => [memory.name, memory]));
  const names = flags.map(({ name }) => register.canonical(name));
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new SyntaxError(`The flags name ${twice} twice`);
  const applied = await Promise.all(flags.map((flag, index) => {
    const name = names[index]!;
    return applyFlag({ ...flag, name }, memories.get(name), options);
  }));
  const written = applied.flatMap(({ account }) => account ? [account] : []);
  if (written.length > 0 || remembered.length !== applied.length) {
    await accounts.applyFlags(applied.map(({ memory }) => memory), written);
    await register.changed();
  }
  for (const [index, { account, outcome }] of applied.entries()) {
    const password = flags[index]?.password;
    if (account && password !== undefined) await register.remember(outcome.name, password, account);
  }
  return applied.map(({ outcome }) => outcome);
}

interface Applied {
  readonly outcome: FlagOutcome;
  readonly memory: FlagMemory;
  /** What is to be written, if anything is. */
  readonly account?: Account;
}

async function applyFlag(
  { name, password }: FlagAccount,
  memory: FlagMemory | undefined,
  { accounts, register, work }: ApplyFlagsOptions,
): Promise<Applied> {
  const existing = await accounts.find(name);
  if (memory) {
    const keys = await work.derive(password, memory);
    if (sameKey(keys.storedKey, memory.storedKey)) {
      if (existing) {
        await register.remember(name, password, {
          ...existing,
          password: { kind: "keys", keys },
        });
      }
      return { outcome: { name, kind: existing ? "kept" : "left-deleted" }, memory };
    }
  }
  const account = await register.account(name, password, "flag");
  const { salt, iterations, password: kept } = account;
  if (kept.kind !== "keys") throw new TypeError("A flag's password must have become keys");
  return {
    outcome: { name, kind: existing ? "changed" : "added" },
    memory: { name, salt, iterations, storedKey: kept.keys.storedKey },
    account,
  };
}
