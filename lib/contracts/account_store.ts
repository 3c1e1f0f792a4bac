/** What the state keeps of users and administrators: names, keys, app passwords, and what flags said. */

import type {
  AppPasswordTerms,
  AppPasswordUse,
  ForeignHash,
  Salting,
  ScramKeys,
} from "./user_source.ts";

/** Users and administrators are kept alike, apart from each other. */
export type AccountKind = "user" | "administrator";

/** Who made an account. */
export type AccountOrigin = "flag" | "msmp" | "command" | "import";

/** An account's password: SCRAM keys, or a hash that another server made. */
export type AccountPassword =
  | { readonly kind: "keys"; readonly keys: ScramKeys }
  | { readonly kind: "foreign"; readonly hash: ForeignHash };

/** An account to be written. */
export interface Account extends Salting {
  readonly name: string;
  readonly password: AccountPassword;
  readonly origin: AccountOrigin;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** An account as it is kept. */
export interface StoredAccount extends Account {
  /** Grows with every change of a secret, over all accounts, so that none comes twice. */
  readonly revision: number;
  /** The app passwords with their keys, under the account's own salt. */
  readonly appPasswords: readonly (AppPassword & ScramKeys)[];
}

/** An app password, without its secret. */
export interface AppPassword extends AppPasswordTerms {
  readonly label: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** An app password as it is listed. */
export interface ListedAppPassword extends AppPassword {
  /** Absent where it was never used. */
  readonly lastUse?: AppPasswordUse;
}

/** What a flag (`-u`, `-a`) said when it was last applied: its password's stored key, under a salt. */
export interface FlagMemory extends Salting {
  readonly name: string;
  readonly storedKey: Uint8Array;
}

/** What an account must be for a change to be made. */
export interface Expected {
  /** The revision that the change was computed from; undefined for an account that must not exist yet. */
  readonly revision: number | undefined;
  /** How many accounts there may be (`max_users`); undefined means any number. Changing one that exists is never refused. */
  readonly limit?: number;
}

/** Accounts of one kind. Each method is one transaction; what it answered is on the disk. */
export interface AccountStore {
  readonly kind: AccountKind;
  /** What the last look-up of this name found, where it is still true. Whether it is there must decide over good logins only: it takes no time. */
  recall(name: string): StoredAccount | undefined;
  /** Looks an account up by its exact name, in the same time whether there is one or not. */
  find(name: string): Promise<StoredAccount | undefined>;
  /** How many there are; costs the same with one as with a million. */
  count(): Promise<number>;
  /** The hashes of accounts that have no SCRAM keys, by name; costs as much as there are. */
  foreignHashes(): Promise<ReadonlyMap<string, ForeignHash>>;
  /** Names in the order of their UTF-8 octets, read a page at a time; those after `after` where it is given. */
  list(options?: { readonly after?: string }): AsyncIterable<string>;
  /**
   * Writes an account. Creation time and origin of one that exists stay; its app passwords stay, so the salt must be the one they are under.
   *
   * @returns "changed" when the account is not as expected (read it again and repeat), "limit" when there are as many as may be
   */
  put(account: Account, expected: Expected): Promise<"added" | "updated" | "changed" | "limit">;
  /** Writes many accounts at once, whatever they are now; app passwords of those that exist stay, as {@linkcode AccountStore.put} says. */
  putAll(
    accounts: readonly Account[],
  ): Promise<{ readonly added: number; readonly updated: number }>;
  /** Puts keys in the place of a foreign hash, if the account is still at this revision. The revision stays: the password is the same. */
  learn(name: string, revision: number, keys: ScramKeys): Promise<boolean>;
  /** Removes an account and its app passwords; with `keepLast`, unless no other would remain. */
  delete(
    name: string,
    options?: { readonly keepLast?: boolean },
  ): Promise<"deleted" | "absent" | "last">;
  /**
   * Adds an app password to an account that is at this revision.
   *
   * @returns "changed" when the account is at another revision or gone
   */
  addAppPassword(
    name: string,
    revision: number,
    appPassword: AppPassword & ScramKeys,
  ): Promise<"added" | "exists" | "changed">;
  /** Removes an app password. Returns whether there was one. */
  deleteAppPassword(name: string, label: string): Promise<boolean>;
  /** App passwords by label. */
  listAppPasswords(name: string): Promise<readonly ListedAppPassword[]>;
  /** Notes the last use of an app password, if there is one. A power cut may take it back. */
  noteAppPasswordUse(name: string, label: string, use: AppPasswordUse): Promise<void>;
  /** What flags said at the last start. */
  flags(): Promise<readonly FlagMemory[]>;
  /** Remembers what flags say at this start, in place of what they said before, and writes accounts, all at once. */
  applyFlags(memories: readonly FlagMemory[], accounts: readonly Account[]): Promise<void>;
}
