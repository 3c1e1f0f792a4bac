/** Adds, changes and removes accounts: users, or administrators. */

import type {
  Account,
  AccountOrigin,
  AccountStore,
  ListedAppPassword,
} from "../contracts/account_store.ts";
import type { AccountSource } from "./account_source.ts";
import type { AppPasswordTerms } from "../contracts/user_source.ts";
import { makeAppPassword, refuseLabel } from "./app_password.ts";
import { canonicalName, type NameRules } from "../bytes/canonical_name.ts";
import { byOctets } from "../bytes/octet_order.ts";
import type { PasswdFile } from "./passwd/passwd_file.ts";
import type { PasswordWork } from "./password_work.ts";
import { DEFAULT_ITERATIONS, SALT_OCTETS, sameKey } from "./scram_keys.ts";
import { UserDirectoryError } from "../contracts/user_directory.ts";
import { refuseUserName } from "../bytes/user_name.ts";
import type { Salting, ScramKeys } from "../contracts/user_source.ts";
import type { VerificationCache } from "./verification_cache.ts";

/** What a register works with. */
export interface AccountRegisterOptions extends NameRules {
  readonly accounts: AccountStore;
  /** The directory's source over the same accounts; told of every change. */
  readonly source: AccountSource;
  readonly work: PasswordWork;
  /** The directory's; passwords that are set are remembered in it, so that the first login is as quick as the next. */
  readonly cache?: VerificationCache;
  /** The passwd-file that stands beside the accounts. */
  readonly file?: PasswdFile | undefined;
  /** @default {4096} */
  readonly iterations?: number;
  /** @default {Date.now} */
  readonly now?: () => number;
  /** Fills octets with chance. */
  readonly random?: (octets: Uint8Array<ArrayBuffer>) => void;
}

/** How an account is set. */
export interface SetOptions {
  readonly origin: AccountOrigin;
  /** How many accounts there may be (`max_users`); undefined means any number. */
  readonly limit?: number | undefined;
  /** How long a name may be, in octets. */
  readonly maxOctets?: number;
}

/** How setting an account ended. */
export type SetOutcome =
  | { readonly kind: "added" | "updated"; readonly name: string }
  | { readonly kind: "limit" }
  | { readonly kind: "unsafe-name" | "unsafe-password"; readonly reason: string };

/** How deleting an account ended. `last`: it is the last one, which stays. */
export type DeleteOutcome =
  | {
    readonly kind: "deleted";
    /** The passwd-file that has a user of this name, too, who is in force from now on. */
    readonly remainsIn?: string;
  }
  | { readonly kind: "absent" | "last" }
  | { readonly kind: "in-file"; readonly path: string };

/** How adding an app password ended. */
export type AddKeyOutcome =
  | { readonly kind: "added"; /** Shown once. */ readonly password: string }
  | { readonly kind: "absent" | "exists" }
  | { readonly kind: "unsafe-label"; readonly reason: string }
  | { readonly kind: "in-file"; readonly path: string };

/** Times that a change is tried when others change the same account at the same moment. */
const MAX_TRIES = 20;

/** Accounts of one kind, as whoever manages them sees them. */
export class AccountRegister {
  readonly #accounts: AccountStore;
  readonly #options: AccountRegisterOptions;

  /** Makes a register; it holds nothing that must be closed. */
  constructor(options: AccountRegisterOptions) {
    this.#accounts = options.accounts;
    this.#options = options;
  }

  /** Adds an account, or sets the password of one that exists. */
  async set(name: string, password: string, options: SetOptions): Promise<SetOutcome> {
    const { origin, limit, maxOctets } = options;
    const canonical = this.canonical(name);
    const refusal = refuseUserName(name, maxOctets) ?? refuseUserName(canonical);
    if (refusal) return { kind: "unsafe-name", reason: refusal };
    if (password === "") return { kind: "unsafe-password", reason: "it is empty" };
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const existing = await this.#accounts.find(canonical);
      const account = await this.account(canonical, password, origin);
      const outcome = await this.#accounts.put(account, {
        revision: existing?.revision,
        ...limit === undefined ? {} : { limit },
      });
      if (outcome === "changed") continue;
      if (outcome === "limit") return { kind: "limit" };
      await this.#options.source.changed(canonical);
      await this.remember(canonical, password, account);
      return { kind: outcome, name: canonical };
    }
    throw new UserDirectoryError(`${canonical} was modified concurrently; try again`);
  }

  /** Removes an account and its app passwords; with `keepLast`, unless it is the last one. */
  async delete(
    name: string,
    options: { readonly keepLast?: boolean } = {},
  ): Promise<DeleteOutcome> {
    const canonical = this.canonical(name);
    const path = this.#fileOf(canonical);
    const outcome = await this.#accounts.delete(canonical, options);
    if (outcome === "absent" && path !== undefined) return { kind: "in-file", path };
    if (outcome !== "deleted") return { kind: outcome };
    await this.#options.source.changed(canonical);
    return { kind: "deleted", ...path === undefined ? {} : { remainsIn: path } };
  }

  /** Whether there is such an account, here or in the passwd-file. */
  async has(name: string): Promise<boolean> {
    const canonical = this.canonical(name);
    return this.#fileOf(canonical) !== undefined ||
      await this.#accounts.find(canonical) !== undefined;
  }

  /** How many accounts the state has. */
  count(): Promise<number> {
    return this.#accounts.count();
  }

  /** Names, those of the passwd-file among them, in the order of their UTF-8 octets. */
  async *list(options: { readonly after?: string } = {}): AsyncGenerator<string> {
    const { after = "" } = options;
    const names = (this.#options.file?.names() ?? []).filter((name) => byOctets(name, after) > 0);
    let next = 0;
    for await (const name of this.#accounts.list({ after })) {
      while (next < names.length && byOctets(names[next]!, name) < 0) yield names[next++]!;
      if (names[next] === name) next++;
      yield name;
    }
    yield* names.slice(next);
  }

  /** Makes an app password. */
  async addKey(
    name: string,
    label: string,
    terms: AppPasswordTerms = {},
  ): Promise<AddKeyOutcome> {
    const refusal = refuseLabel(label);
    if (refusal) return { kind: "unsafe-label", reason: refusal };
    const canonical = this.canonical(name);
    const { work, random, now = Date.now } = this.#options;
    const password = makeAppPassword(random);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const account = await this.#accounts.find(canonical);
      if (!account) {
        const path = this.#fileOf(canonical);
        return path === undefined ? { kind: "absent" } : { kind: "in-file", path };
      }
      const keys = await work.derive(password, account);
      const key = { ...terms, label, at: now(), ...keys };
      const outcome = await this.#accounts.addAppPassword(canonical, account.revision, key);
      if (outcome === "exists") return { kind: "exists" };
      if (outcome === "added") return { kind: "added", password };
    }
    throw new UserDirectoryError(`${canonical} was modified concurrently; try again`);
  }

  /** Removes an app password. Returns whether there was one. */
  deleteKey(name: string, label: string): Promise<boolean> {
    return this.#accounts.deleteAppPassword(this.canonical(name), label);
  }

  /** A user's app passwords by label; undefined when there is no such user. */
  async listKeys(name: string): Promise<readonly ListedAppPassword[] | undefined> {
    if (!await this.has(name)) return undefined;
    return await this.#accounts.listAppPasswords(this.canonical(name));
  }

  /** The name under which an account is kept. */
  canonical(name: string): string {
    return canonicalName(name, this.#options);
  }

  /**
   * Makes what is to be written for an account with a password. An account that has app passwords keeps the salt that they are under.
   *
   * @param name canonical
   */
  async account(name: string, password: string, origin: AccountOrigin): Promise<Account> {
    const { work, now = Date.now } = this.#options;
    const { salt, iterations } = await this.salting(name);
    const keys = await work.derive(password, { salt, iterations });
    return { name, origin, at: now(), salt, iterations, password: { kind: "keys", keys } };
  }

  /** The salting that an account's next password goes under: a fresh one, unless its app passwords hold on to theirs. */
  async salting(name: string): Promise<Salting> {
    const existing = await this.#accounts.find(name);
    if (existing && existing.appPasswords.length > 0) return existing;
    const salt = new Uint8Array(SALT_OCTETS);
    (this.#options.random ?? crypto.getRandomValues.bind(crypto))(salt);
    return { salt, iterations: this.#options.iterations ?? DEFAULT_ITERATIONS };
  }

  /** Tells the directory that another server changed an account. @param name canonical */
  changedElsewhere(name: string): Promise<void> {
    return this.#options.source.changed(name);
  }

  /** Tells the directory that many accounts were changed. */
  changed(): Promise<void> {
    return this.#options.source.refresh();
  }

  /** Remembers a password as right, if the account still has the keys that were derived from it. */
  async remember(name: string, password: string, { password: kept }: Account): Promise<void> {
    const user = await this.#options.source.find(name);
    if (!user || kept.kind !== "keys" || !user.keys[0]) return;
    if (!sameKeys(user.keys[0], kept.keys)) return;
    this.#options.cache?.remember(name, user.revision, password);
  }

  #fileOf(name: string): string | undefined {
    const { file } = this.#options;
    return file?.has(name) ? file.path : undefined;
  }
}

function sameKeys(one: ScramKeys, other: ScramKeys): boolean {
  return sameKey(one.storedKey, other.storedKey);
}
