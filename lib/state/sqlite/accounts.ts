/** Users or administrators in the state file. */

import type { AppPasswordUse, ForeignHash, ScramKeys } from "../../contracts/user_source.ts";
import type {
  Account,
  AccountKind,
  AccountOrigin,
  AccountStore,
  AppPassword,
  Expected,
  FlagMemory,
  ListedAppPassword,
  StoredAccount,
} from "../../contracts/account_store.ts";
import { foreignOf, passwordOf } from "./account_rows.ts";
import {
  listAppPasswords,
  noteAppPasswordUse,
  readAppPasswords,
  writeTerms,
} from "./app_passwords.ts";
import type { Row, SqliteDatabase } from "./database.ts";

/** Names read at a time by {@linkcode SqliteAccounts.list}. */
const PAGE = 500;

/** Accounts that are kept in memory; when there are more, all are forgotten. */
const MOST_KNOWN = 10_000;

/** Accounts of one kind in the state file. */
export class SqliteAccounts implements AccountStore {
  readonly kind: AccountKind;
  readonly #database: SqliteDatabase;
  /** What {@linkcode SqliteAccounts.find} found since the last change: nobody else writes to the file. */
  readonly #known = new Map<string, StoredAccount>();

  /** Makes the view on one kind of accounts. */
  constructor(database: SqliteDatabase, kind: AccountKind) {
    this.#database = database;
    this.kind = kind;
  }

  recall(name: string): StoredAccount | undefined {
    return this.#known.get(name);
  }

  /** See {@linkcode AccountStore.find}. Reads each time, so that names that are known take as long as those that are not. */
  async find(name: string): Promise<StoredAccount | undefined> {
    const account = this.#read(name);
    if (account === undefined) return undefined;
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(name, account);
    return account;
  }

  /** Reads an account; where there is none, another one in its place, for nothing: a miss must not be quicker than a hit. */
  #read(name: string): StoredAccount | undefined {
    const row = this.#database.get(
      "SELECT * FROM accounts WHERE kind = ? AND name = ? " +
        "UNION ALL SELECT * FROM (SELECT * FROM accounts WHERE kind = ? LIMIT 1) LIMIT 1",
      this.kind,
      name,
      this.kind,
    );
    if (!row) return undefined;
    const appPasswords = row.app_passwords === 0
      ? []
      : readAppPasswords(this.#database, this.kind, row.name as string);
    const account = {
      name: row.name as string,
      origin: row.origin as AccountOrigin,
      at: row.at as number,
      revision: row.revision as number,
      salt: row.salt as Uint8Array,
      iterations: row.iterations as number,
      password: passwordOf(row),
      appPasswords,
    };
    return account.name === name ? account : undefined;
  }

  async count(): Promise<number> {
    return this.#count();
  }

  async foreignHashes(): Promise<ReadonlyMap<string, ForeignHash>> {
    const rows = this.#database.all(
      "SELECT name, scheme, hash FROM accounts WHERE kind = ? AND stored_key IS NULL",
      this.kind,
    );
    return new Map(rows.map((row) => [row.name as string, foreignOf(row)]));
  }

  async *list({ after = "" }: { readonly after?: string } = {}): AsyncGenerator<string> {
    for (let last = after;;) {
      const rows = this.#database.all(
        "SELECT name FROM accounts WHERE kind = ? AND name > ? ORDER BY name LIMIT ?",
        this.kind,
        last,
        PAGE,
      );
      for (const row of rows) yield last = row.name as string;
      if (rows.length < PAGE) return;
    }
  }

  async put(
    account: Account,
    expected: Expected,
  ): Promise<"added" | "updated" | "changed" | "limit"> {
    return this.#change(() => {
      const revision = this.#row(account.name)?.revision;
      if (revision !== expected.revision) return "changed";
      if (revision === undefined && this.#count() >= (expected.limit ?? Infinity)) return "limit";
      return this.#write(account);
    });
  }

  async putAll(accounts: readonly Account[]): Promise<{ added: number; updated: number }> {
    return this.#change(() => {
      const written = accounts.map((account) => this.#write(account));
      const added = written.filter((outcome) => outcome === "added").length;
      return { added, updated: written.length - added };
    });
  }

  async learn(name: string, revision: number, keys: ScramKeys): Promise<boolean> {
    return this.#change(() =>
      this.#database.run(
        "UPDATE accounts SET stored_key = ?, server_key = ?, scheme = NULL, hash = NULL " +
          "WHERE kind = ? AND name = ? AND revision = ? AND stored_key IS NULL",
        keys.storedKey,
        keys.serverKey,
        this.kind,
        name,
        revision,
      ) > 0
    );
  }

  async delete(
    name: string,
    { keepLast = false }: { readonly keepLast?: boolean } = {},
  ): Promise<"deleted" | "absent" | "last"> {
    return this.#change(() => {
      if (!this.#row(name)) return "absent";
      if (keepLast && this.#count() === 1) return "last";
      this.#database.run("DELETE FROM accounts WHERE kind = ? AND name = ?", this.kind, name);
      return "deleted";
    });
  }

  async addAppPassword(
    name: string,
    revision: number,
    { label, at, storedKey, serverKey, ...terms }: AppPassword & ScramKeys,
  ): Promise<"added" | "exists" | "changed"> {
    return this.#change(() => {
      if (this.#row(name)?.revision !== revision) return "changed";
      const added = this.#database.run(
        "INSERT INTO app_passwords VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        this.kind,
        name,
        label,
        at,
        storedKey,
        serverKey,
      );
      if (added === 0) return "exists";
      writeTerms(this.#database, [this.kind, name, label], terms);
      this.#appPasswordsChanged(name, 1);
      return "added";
    });
  }

  async deleteAppPassword(name: string, label: string): Promise<boolean> {
    return this.#change(() => {
      const deleted = this.#database.run(
        "DELETE FROM app_passwords WHERE kind = ? AND name = ? AND label = ?",
        this.kind,
        name,
        label,
      );
      if (deleted > 0) this.#appPasswordsChanged(name, -1);
      return deleted > 0;
    });
  }

  async listAppPasswords(name: string): Promise<readonly ListedAppPassword[]> {
    return listAppPasswords(this.#database, this.kind, name);
  }

  /** See {@linkcode AccountStore.noteAppPasswordUse}. */
  // deno-lint-ignore require-await -- what is thrown must reject
  async noteAppPasswordUse(name: string, label: string, use: AppPasswordUse): Promise<void> {
    noteAppPasswordUse(this.#database, [this.kind, name, label], use);
  }

  async flags(): Promise<readonly FlagMemory[]> {
    return this.#database.all(
      "SELECT name, salt, iterations, stored_key FROM flags WHERE kind = ? ORDER BY name",
      this.kind,
    ).map((row) => ({
      name: row.name as string,
      salt: row.salt as Uint8Array,
      iterations: row.iterations as number,
      storedKey: row.stored_key as Uint8Array,
    }));
  }

  async applyFlags(memories: readonly FlagMemory[], accounts: readonly Account[]): Promise<void> {
    this.#change(() => {
      this.#database.run("DELETE FROM flags WHERE kind = ?", this.kind);
      for (const { name, salt, iterations, storedKey } of memories) {
        this.#database.run(
          "INSERT INTO flags VALUES (?, ?, ?, ?, ?)",
          this.kind,
          name,
          salt,
          iterations,
          storedKey,
        );
      }
      for (const account of accounts) this.#write(account);
    });
  }

  /** Writes, all of it or nothing; a power cut takes nothing back. */
  #change<T>(work: () => T): T {
    try {
      return this.#database.transaction("power-cut", work);
    } finally {
      this.#known.clear();
    }
  }

  #row(name: string): Row | undefined {
    return this.#database.get(
      "SELECT * FROM accounts WHERE kind = ? AND name = ?",
      this.kind,
      name,
    );
  }

  #count(): number {
    const row = this.#database.get("SELECT amount FROM header WHERE name = ?", this.kind);
    return row?.amount as number;
  }

  /** Within a transaction: writes an account under a new revision. */
  #write({ name, origin, at, salt, iterations, password }: Account): "added" | "updated" {
    const keys = password.kind === "keys" ? password.keys : undefined;
    const hash = password.kind === "foreign" ? password.hash : undefined;
    const secrets = [
      this.#nextRevision(),
      salt,
      iterations,
      keys?.storedKey ?? null,
      keys?.serverKey ?? null,
      hash?.scheme ?? null,
      hash?.data ?? null,
    ];
    const updated = this.#database.run(
      "UPDATE accounts SET revision = ?, salt = ?, iterations = ?, stored_key = ?, " +
        "server_key = ?, scheme = ?, hash = ? WHERE kind = ? AND name = ?",
      ...secrets,
      this.kind,
      name,
    );
    if (updated > 0) return "updated";
    this.#database.run(
      "INSERT INTO accounts (revision, salt, iterations, stored_key, server_key, scheme, hash, " +
        "kind, name, origin, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...secrets,
      this.kind,
      name,
      origin,
      at,
    );
    return "added";
  }

  #appPasswordsChanged(name: string, by: number): void {
    this.#database.run(
      "UPDATE accounts SET revision = ?, app_passwords = app_passwords + ? " +
        "WHERE kind = ? AND name = ?",
      this.#nextRevision(),
      by,
      this.kind,
      name,
    );
  }

  #nextRevision(): number {
    const row = this.#database.get(
      "UPDATE installation SET value = value + 1 WHERE name = 'revision' RETURNING value",
    );
    return row?.value as number;
  }
}
