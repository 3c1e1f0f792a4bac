/** Users or administrators in a database. */

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
import type { AppPasswordUse, ForeignHash, ScramKeys } from "../../contracts/user_source.ts";
import { accountOf, appPasswordOf, foreignOf } from "./account_rows.ts";
import type { Database, Query } from "./database.ts";
import { Gatherer } from "./gatherer.ts";
import type { SignalWriter } from "./signals.ts";
import { numberOf, octetsOf } from "./values.ts";

/** Names read at a time by {@linkcode PostgresAccounts.list}, and accounts written at a time. */
const PAGE = 500;

/** Names whose changes are told by name; of more, only that there were some. */
const MOST_NAMED = 50;

/** Accounts of one kind in a database. What is read is never remembered: other nodes write, too. */
export class PostgresAccounts implements AccountStore {
  readonly kind: AccountKind;
  readonly #database: Database;
  readonly #signals: SignalWriter;
  readonly #finds: Gatherer<string, StoredAccount | undefined>;

  constructor(database: Database, kind: AccountKind, signals: SignalWriter) {
    this.#database = database;
    this.kind = kind;
    this.#signals = signals;
    this.#finds = new Gatherer((names) => this.#findAll(names));
  }

  /** Knows nothing: see {@linkcode PostgresAccounts.find}. */
  recall(): undefined {
    return undefined;
  }

  find(name: string): Promise<StoredAccount | undefined> {
    // PostgreSQL takes no text with it, so that nobody has such a name.
    return name.includes("\0") ? this.#finds.add("").then(() => undefined) : this.#finds.add(name);
  }

  async count(): Promise<number> {
    return await this.#count(this.#read);
  }

  async foreignHashes(): Promise<ReadonlyMap<string, ForeignHash>> {
    const { rows } = await this.#read(
      "SELECT name, scheme, hash FROM {account} WHERE kind = $1 AND stored_key IS NULL",
      [this.kind],
    );
    return new Map(rows.map((row) => [String(row.name), foreignOf(row)]));
  }

  async *list({ after = "" }: { readonly after?: string } = {}): AsyncGenerator<string> {
    for (let last = after;;) {
      const { rows } = await this.#read(
        "SELECT name FROM {account} WHERE kind = $1 AND name > $2 ORDER BY name LIMIT $3",
        [this.kind, last, PAGE],
      );
      for (const row of rows) yield last = String(row.name);
      if (rows.length < PAGE) return;
    }
  }

  put(
    account: Account,
    expected: Expected,
  ): Promise<"added" | "updated" | "changed" | "limit"> {
    const { limit } = expected;
    return this.#change([account.name], async (query) => {
      if (limit !== undefined) await serialize(query);
      const revision = await this.#revision(query, account.name);
      if (revision !== expected.revision) return "changed";
      if (revision === undefined && limit !== undefined && await this.#count(query) >= limit) {
        return "limit";
      }
      const written = await this.#write(query, [account], expected.revision === undefined);
      // Somebody else added it in the same moment.
      if (written === 0) return "changed";
      return revision === undefined ? "added" : "updated";
    }, (outcome) => outcome === "added" || outcome === "updated");
  }

  putAll(accounts: readonly Account[]): Promise<{ added: number; updated: number }> {
    // Of two with one name the last holds, as if they were written one after the other.
    const last = new Map(accounts.map((account) => [account.name, account]));
    const names = [...last.keys()];
    return this.#change(names, async (query) => {
      const { count } = await query(
        "SELECT name FROM {account} WHERE kind = $1 AND name = ANY($2::text[]) FOR UPDATE",
        [this.kind, names],
      );
      const unique = [...last.values()];
      for (let at = 0; at < unique.length; at += PAGE) {
        await this.#write(query, unique.slice(at, at + PAGE), false);
      }
      const added = last.size - count;
      return { added, updated: accounts.length - added };
    }, () => accounts.length > 0);
  }

  learn(name: string, revision: number, keys: ScramKeys): Promise<boolean> {
    return this.#change([name], async (query) => {
      const { count } = await query(
        "UPDATE {account} SET stored_key = $1, server_key = $2, scheme = NULL, hash = NULL " +
          "WHERE kind = $3 AND name = $4 AND revision = $5 AND stored_key IS NULL",
        [keys.storedKey, keys.serverKey, this.kind, name, revision],
      );
      return count > 0;
    }, (learned) => learned);
  }

  delete(
    name: string,
    { keepLast = false }: { readonly keepLast?: boolean } = {},
  ): Promise<"deleted" | "absent" | "last"> {
    return this.#change([name], async (query) => {
      if (keepLast) await serialize(query);
      if (await this.#revision(query, name) === undefined) return "absent";
      if (keepLast && await this.#count(query) === 1) return "last";
      await query("DELETE FROM {account} WHERE kind = $1 AND name = $2", [this.kind, name]);
      return "deleted";
    }, (outcome) => outcome === "deleted");
  }

  addAppPassword(
    name: string,
    revision: number,
    appPassword: AppPassword & ScramKeys,
  ): Promise<"added" | "exists" | "changed"> {
    const { label, at, storedKey, serverKey, expires = null, readOnly = false } = appPassword;
    const networks = appPassword.networks?.join(",") ?? null;
    return this.#change([name], async (query) => {
      if (await this.#revision(query, name) !== revision) return "changed";
      const { count } = await query(
        "INSERT INTO {app_password} VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        [this.kind, name, label, at, storedKey, serverKey, expires, networks, readOnly],
      );
      if (count === 0) return "exists";
      await this.#renew(query, name);
      return "added";
    }, (outcome) => outcome === "added");
  }

  deleteAppPassword(name: string, label: string): Promise<boolean> {
    return this.#change([name], async (query) => {
      if (await this.#revision(query, name) === undefined) return false;
      const { count } = await query(
        "DELETE FROM {app_password} WHERE kind = $1 AND name = $2 AND label = $3",
        [this.kind, name, label],
      );
      if (count > 0) await this.#renew(query, name);
      return count > 0;
    }, (deleted) => deleted);
  }

  async listAppPasswords(name: string): Promise<readonly ListedAppPassword[]> {
    const { rows } = await this.#read(
      "SELECT label, at, expires, networks, read_only, used_at, used_from FROM {app_password} " +
        "WHERE kind = $1 AND name = $2 ORDER BY label",
      [this.kind, name],
    );
    return rows.map((row) => ({
      ...appPasswordOf(row),
      ...(row.used_at !== null && {
        lastUse: { at: numberOf(row.used_at), address: String(row.used_from) },
      }),
    }));
  }

  /** A change of no secret: other nodes need not hear of it. */
  async noteAppPasswordUse(name: string, label: string, use: AppPasswordUse): Promise<void> {
    await this.#read(
      "UPDATE {app_password} SET used_at = $4, used_from = $5 " +
        "WHERE kind = $1 AND name = $2 AND label = $3",
      [this.kind, name, label, use.at, use.address],
    );
  }

  async flags(): Promise<readonly FlagMemory[]> {
    const { rows } = await this.#read(
      "SELECT name, salt, iterations, stored_key FROM {flag} WHERE kind = $1 ORDER BY name",
      [this.kind],
    );
    return rows.map((row) => ({
      name: String(row.name),
      salt: octetsOf(row.salt),
      iterations: numberOf(row.iterations),
      storedKey: octetsOf(row.stored_key),
    }));
  }

  /** What other nodes' flags said stays: a node that lacks a flag does not speak for those that have it. */
  async applyFlags(memories: readonly FlagMemory[], accounts: readonly Account[]): Promise<void> {
    await this.#change(accounts.map(({ name }) => name), async (query) => {
      for (const { name, salt, iterations, storedKey } of memories) {
        await query(
          "INSERT INTO {flag} VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, name) DO UPDATE SET " +
            "salt = excluded.salt, iterations = excluded.iterations, stored_key = excluded.stored_key",
          [this.kind, name, salt, iterations, storedKey],
        );
      }
      if (accounts.length > 0) await this.#write(query, accounts, false);
    }, () => accounts.length > 0);
  }

  readonly #read: Query = (text, values) =>
    this.#database.query(text, values, { repeatable: true });

  /** Changes accounts; other nodes hear of it if it was done. */
  #change<T>(
    names: readonly string[],
    work: (query: Query) => Promise<T>,
    isDone: (outcome: T) => boolean,
  ): Promise<T> {
    return this.#database.transaction(async (query) => {
      const outcome = await work(query);
      if (isDone(outcome)) {
        const told = names.length > MOST_NAMED ? [] : names;
        await this.#signals.write(query, "accounts", JSON.stringify([this.kind, ...told]));
      }
      return outcome;
    });
  }

  /** One statement for all who are looked for, with their app passwords; the same for those who are not there. */
  async #findAll(names: readonly string[]): Promise<(StoredAccount | undefined)[]> {
    const { rows } = await this.#read(
      "SELECT a.*, p.stored_key AS app_stored, p.server_key AS app_server, p.label, " +
        "p.at AS app_at, p.expires, p.networks, p.read_only FROM {account} a " +
        "LEFT JOIN {app_password} p ON p.kind = a.kind AND p.name = a.name " +
        "WHERE a.kind = $1 AND a.name = ANY($2::text[]) ORDER BY a.name, p.label",
      [this.kind, names],
    );
    const found = new Map<string, StoredAccount & { appPasswords: (AppPassword & ScramKeys)[] }>();
    for (const row of rows) {
      const name = String(row.name);
      const account = found.get(name) ?? accountOf(row);
      found.set(name, account);
      if (row.app_stored === null) continue;
      account.appPasswords.push({
        ...appPasswordOf({ ...row, at: row.app_at }),
        storedKey: octetsOf(row.app_stored),
        serverKey: octetsOf(row.app_server),
      });
    }
    return names.map((name) => found.get(name));
  }

  async #count(query: Query): Promise<number> {
    const { rows } = await query("SELECT count(*) AS count FROM {account} WHERE kind = $1", [
      this.kind,
    ]);
    return numberOf(rows[0]?.count);
  }

  /** The revision of an account, which nobody else changes until the transaction ends. */
  async #revision(query: Query, name: string): Promise<number | undefined> {
    const { rows } = await query(
      "SELECT revision FROM {account} WHERE kind = $1 AND name = $2 FOR UPDATE",
      [this.kind, name],
    );
    return rows[0] === undefined ? undefined : numberOf(rows[0].revision);
  }

  async #renew(query: Query, name: string): Promise<void> {
    await query(
      "UPDATE {account} SET revision = nextval('{revision}') WHERE kind = $1 AND name = $2",
      [this.kind, name],
    );
  }

  /** Writes accounts, each under a new revision. Returns how many were written. */
  async #write(query: Query, accounts: readonly Account[], mustBeNew: boolean): Promise<number> {
    const keys = accounts.map(({ password }) => password.kind === "keys" ? password.keys : null);
    const hashes = accounts.map(({ password }) =>
      password.kind === "foreign" ? password.hash : null
    );
    const { count } = await query(
      "INSERT INTO {account} SELECT $1, u.name, u.origin, u.at, nextval('{revision}'), u.salt, " +
        "u.iterations, u.stored_key, u.server_key, u.scheme, u.hash " +
        "FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::int[], $7::bytea[], " +
        "$8::bytea[], $9::text[], $10::text[]) AS u (name, origin, at, salt, iterations, " +
        "stored_key, server_key, scheme, hash) ON CONFLICT (kind, name) DO " +
        (mustBeNew ? "NOTHING" : "UPDATE SET revision = excluded.revision, " +
          "salt = excluded.salt, iterations = excluded.iterations, " +
          "stored_key = excluded.stored_key, server_key = excluded.server_key, " +
          "scheme = excluded.scheme, hash = excluded.hash"),
      [
        this.kind,
        accounts.map(({ name }) => name),
        accounts.map(({ origin }) => origin),
        accounts.map(({ at }) => Math.round(at)),
        accounts.map(({ salt }) => bytea(salt)),
        accounts.map(({ iterations }) => iterations),
        keys.map((each) => each && bytea(each.storedKey)),
        keys.map((each) => each && bytea(each.serverKey)),
        hashes.map((each) => each?.scheme ?? null),
        hashes.map((each) => each?.data ?? null),
      ],
    );
    return count;
  }
}

/** Waits until nobody else adds to, or takes from, a number of accounts that may not be passed. */
async function serialize(query: Query): Promise<void> {
  await query("SELECT value FROM {installation} WHERE name = 'changes' FOR UPDATE");
}

/** Octets as an element of an array. */
function bytea(octets: Uint8Array): string {
  return `\\x${octets.toHex()}`;
}
