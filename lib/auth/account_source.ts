/** The state's accounts as a source of secrets. */

import type { AccountStore, StoredAccount } from "../contracts/account_store.ts";
import type {
  AppPasswordUse,
  ForeignHash,
  FoundUser,
  ScramKeys,
  UserSource,
} from "../contracts/user_source.ts";
import { UnlearnedHashes } from "./foreign_hashes/unlearned_hashes.ts";

/** Accounts of one kind, as the directory reads them. */
export class AccountSource implements UserSource {
  readonly #accounts: AccountStore;
  #unlearned = new UnlearnedHashes();

  private constructor(accounts: AccountStore) {
    this.#accounts = accounts;
  }

  /** Makes a source over accounts. */
  static async open(accounts: AccountStore): Promise<AccountSource> {
    const source = new AccountSource(accounts);
    await source.refresh();
    return source;
  }

  /** See {@linkcode UserSource.costliestForeign}. */
  get costliestForeign(): ForeignHash | undefined {
    return this.#unlearned.costliest;
  }

  /** Finds out anew which accounts have no SCRAM keys; for whoever changed many. */
  async refresh(): Promise<void> {
    const unlearned = new UnlearnedHashes();
    for (const [name, hash] of await this.#accounts.foreignHashes()) unlearned.set(name, hash);
    this.#unlearned = unlearned;
  }

  /** Finds out anew whether an account has SCRAM keys; for whoever changed it. */
  async changed(name: string): Promise<void> {
    const account = await this.#accounts.find(name);
    if (account?.password.kind === "foreign") this.#unlearned.set(name, account.password.hash);
    else this.#unlearned.delete(name);
  }

  recall(name: string): FoundUser | undefined {
    const account = this.#accounts.recall(name);
    return account && this.#found(account);
  }

  async find(name: string): Promise<FoundUser | undefined> {
    const account = await this.#accounts.find(name);
    return account && this.#found(account);
  }

  used(name: string, label: string, use: AppPasswordUse): Promise<void> {
    return this.#accounts.noteAppPasswordUse(name, label, use);
  }

  #found(account: StoredAccount): FoundUser {
    const { name, salt, iterations, password, appPasswords } = account;
    const user = { name, revision: this.#revision(account.revision), salt, iterations };
    const apps = appPasswords.map(({ storedKey, serverKey, ...app }) => ({
      storedKey,
      serverKey,
      app,
    }));
    return password.kind === "keys"
      ? { ...user, keys: [password.keys, ...apps] }
      : { ...user, keys: apps, foreign: password.hash };
  }

  async learn(user: FoundUser, keys: ScramKeys): Promise<void> {
    const account = await this.#accounts.find(user.name);
    if (!account || this.#revision(account.revision) !== user.revision) return;
    await this.#accounts.learn(user.name, account.revision, keys);
    await this.changed(user.name);
  }

  #revision(revision: number): string {
    return `${this.#accounts.kind} ${revision}`;
  }
}
