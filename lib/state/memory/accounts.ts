/** Users or administrators in memory: the twin of what the state file keeps. */

import type { AppPasswordUse, ForeignHash, ScramKeys } from "../../contracts/user_source.ts";
import type {
  Account,
  AccountKind,
  AccountStore,
  AppPassword,
  Expected,
  FlagMemory,
  ListedAppPassword,
  StoredAccount,
} from "../../contracts/account_store.ts";

interface Kept {
  readonly account: Account;
  readonly revision: number;
  readonly appPasswords: ReadonlyMap<string, AppPassword & ScramKeys>;
}

/** Accounts of one kind in memory. */
export class MemoryAccounts implements AccountStore {
  readonly kind: AccountKind;
  readonly #accounts = new Map<string, Kept>();
  #flags: readonly FlagMemory[] = [];
  #revision = 0;
  readonly #uses = new WeakMap<AppPassword, AppPasswordUse>();

  /** Makes an empty store. */
  constructor(kind: AccountKind) {
    this.kind = kind;
  }

  /** See {@linkcode AccountStore.recall}. All is at hand here, so that nothing need be remembered apart. */
  recall(): undefined {
    return undefined;
  }

  find(name: string): Promise<StoredAccount | undefined> {
    const kept = this.#accounts.get(name);
    if (!kept) return Promise.resolve(undefined);
    const { account, revision, appPasswords } = kept;
    return Promise.resolve({ ...account, revision, appPasswords: [...appPasswords.values()] });
  }

  count(): Promise<number> {
    return Promise.resolve(this.#accounts.size);
  }

  foreignHashes(): Promise<ReadonlyMap<string, ForeignHash>> {
    const hashes = new Map<string, ForeignHash>();
    for (const { account: { name, password } } of this.#accounts.values()) {
      if (password.kind === "foreign") hashes.set(name, password.hash);
    }
    return Promise.resolve(hashes);
  }

  async *list({ after = "" }: { readonly after?: string } = {}): AsyncGenerator<string> {
    const encoder = new TextEncoder();
    const octets = (name: string): string => String.fromCharCode(...encoder.encode(name));
    const names = [...this.#accounts.keys()].map((name) => ({ name, key: octets(name) }));
    const first = octets(after);
    names.sort((one, other) => one.key < other.key ? -1 : 1);
    for (const { name, key } of names) if (key > first) yield name;
  }

  put(account: Account, expected: Expected): Promise<"added" | "updated" | "changed" | "limit"> {
    const kept = this.#accounts.get(account.name);
    if (kept?.revision !== expected.revision) return Promise.resolve("changed");
    const full = this.#accounts.size >= (expected.limit ?? Infinity);
    if (!kept && full) return Promise.resolve("limit");
    return Promise.resolve(this.#write(account));
  }

  putAll(accounts: readonly Account[]): Promise<{ added: number; updated: number }> {
    const written = accounts.map((account) => this.#write(account));
    const added = written.filter((outcome) => outcome === "added").length;
    return Promise.resolve({ added, updated: written.length - added });
  }

  learn(name: string, revision: number, keys: ScramKeys): Promise<boolean> {
    const kept = this.#accounts.get(name);
    if (kept?.revision !== revision || kept.account.password.kind === "keys") {
      return Promise.resolve(false);
    }
    const account: Account = { ...kept.account, password: { kind: "keys", keys } };
    this.#accounts.set(name, { ...kept, account });
    return Promise.resolve(true);
  }

  delete(
    name: string,
    { keepLast = false }: { readonly keepLast?: boolean } = {},
  ): Promise<"deleted" | "absent" | "last"> {
    if (!this.#accounts.has(name)) return Promise.resolve("absent");
    if (keepLast && this.#accounts.size === 1) return Promise.resolve("last");
    this.#accounts.delete(name);
    return Promise.resolve("deleted");
  }

  addAppPassword(
    name: string,
    revision: number,
    appPassword: AppPassword & ScramKeys,
  ): Promise<"added" | "exists" | "changed"> {
    const kept = this.#accounts.get(name);
    if (kept?.revision !== revision) return Promise.resolve("changed");
    if (kept.appPasswords.has(appPassword.label)) return Promise.resolve("exists");
    const appPasswords = new Map(kept.appPasswords).set(appPassword.label, appPassword);
    this.#accounts.set(name, { ...kept, appPasswords, revision: ++this.#revision });
    return Promise.resolve("added");
  }

  deleteAppPassword(name: string, label: string): Promise<boolean> {
    const kept = this.#accounts.get(name);
    const appPasswords = new Map(kept?.appPasswords);
    if (!kept || !appPasswords.delete(label)) return Promise.resolve(false);
    this.#accounts.set(name, { ...kept, appPasswords, revision: ++this.#revision });
    return Promise.resolve(true);
  }

  listAppPasswords(name: string): Promise<readonly ListedAppPassword[]> {
    const all = [...this.#accounts.get(name)?.appPasswords.values() ?? []];
    all.sort((one, other) => one.label < other.label ? -1 : 1);
    return Promise.resolve(all.map((appPassword) => {
      const { storedKey: _stored, serverKey: _server, ...listed } = appPassword;
      const lastUse = this.#uses.get(appPassword);
      return lastUse === undefined ? listed : { ...listed, lastUse };
    }));
  }

  noteAppPasswordUse(name: string, label: string, use: AppPasswordUse): Promise<void> {
    const appPassword = this.#accounts.get(name)?.appPasswords.get(label);
    if (appPassword !== undefined) this.#uses.set(appPassword, use);
    return Promise.resolve();
  }

  flags(): Promise<readonly FlagMemory[]> {
    return Promise.resolve(this.#flags);
  }

  applyFlags(memories: readonly FlagMemory[], accounts: readonly Account[]): Promise<void> {
    this.#flags = memories.toSorted((one, other) => one.name < other.name ? -1 : 1);
    for (const account of accounts) this.#write(account);
    return Promise.resolve();
  }

  #write(account: Account): "added" | "updated" {
    const kept = this.#accounts.get(account.name);
    const { at, origin } = kept?.account ?? account;
    this.#accounts.set(account.name, {
      account: { ...account, at, origin },
      revision: ++this.#revision,
      appPasswords: kept?.appPasswords ?? new Map(),
    });
    return kept ? "updated" : "added";
  }
}
