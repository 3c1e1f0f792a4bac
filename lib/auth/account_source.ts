/** The state's accounts as a source of secrets. */

import type { AccountStore, StoredAccount } from "../contracts/account_store.ts";
import type { ForeignHash, FoundUser, ScramKeys, UserSource } from "../contracts/user_source.ts";

/** Accounts of one kind, as the directory reads them. */
export class AccountSource implements UserSource {
  readonly #accounts: AccountStore;
  #someForeign: ForeignHash | undefined;

  private constructor(accounts: AccountStore) {
    this.#accounts = accounts;
  }

  /** Makes a source over accounts. */
  static async open(accounts: AccountStore): Promise<AccountSource> {
    const source = new AccountSource(accounts);
    await source.refresh();
    return source;
  }

  /** The hash of some account without SCRAM keys, as of the last {@linkcode AccountSource.refresh}. */
  get someForeign(): ForeignHash | undefined {
    return this.#someForeign;
  }

  /** Finds out anew whether all accounts have SCRAM keys; for whoever changed accounts. */
  async refresh(): Promise<void> {
    this.#someForeign = await this.#accounts.someForeign();
  }

  recall(name: string): FoundUser | undefined {
    const account = this.#accounts.recall(name);
    return account && this.#found(account);
  }

  async find(name: string): Promise<FoundUser | undefined> {
    const account = await this.#accounts.find(name);
    return account && this.#found(account);
  }

  #found(account: StoredAccount): FoundUser {
    const { name, salt, iterations, password, appPasswords } = account;
    const user = { name, revision: this.#revision(account.revision), salt, iterations };
    return password.kind === "keys"
      ? { ...user, keys: [password.keys, ...appPasswords] }
      : { ...user, keys: appPasswords, foreign: password.hash };
  }

  async learn(user: FoundUser, keys: ScramKeys): Promise<void> {
    const account = await this.#accounts.find(user.name);
    if (!account || this.#revision(account.revision) !== user.revision) return;
    await this.#accounts.learn(user.name, account.revision, keys);
    await this.refresh();
  }

  #revision(revision: number): string {
    return `${this.#accounts.kind} ${revision}`;
  }
}
