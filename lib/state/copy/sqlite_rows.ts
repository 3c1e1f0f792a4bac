/** A state file as rows. */

import { StateStoreError } from "../../contracts/state_store.ts";
import { SqliteDatabase } from "../sqlite/database.ts";
import { type Row, type RowPlace, sorted, type StateRows, type Value } from "./rows.ts";

/** A state file that no server holds. */
export class SqliteRows implements RowPlace {
  readonly name: string;
  readonly #database: SqliteDatabase;

  /** Opens a file, or makes one. @throws {StateStoreError} */
  constructor(path: string) {
    this.name = path;
    this.#database = SqliteDatabase.open(path);
  }

  read(): Promise<StateRows> {
    const all = (sql: string): Row[] => this.#database.all(sql).map(plain);
    const installation = all("SELECT name, value FROM installation");
    return Promise.resolve({
      installation: sorted(
        // A sequence of a database begins with 1.
        installation.map(({ name, value }) => ({
          name: name!,
          value: name === "revision" ? String(Math.max(1, Number(value))) : String(value),
        })),
        "name",
      ),
      accounts: sorted(
        all(
          "SELECT kind, name, origin, at, revision, salt, iterations, stored_key, server_key, " +
            "scheme, hash FROM accounts",
        ),
        "kind",
        "name",
      ),
      appPasswords: sorted(
        all(
          "SELECT p.kind, p.name, p.label, p.at, stored_key, server_key, expires, networks, " +
            "coalesce(read_only, 0) AS read_only FROM app_passwords p LEFT JOIN " +
            "app_password_terms t ON t.kind = p.kind AND t.name = p.name AND t.label = p.label",
        ),
        ...["kind", "name", "label"],
      ),
      flags: sorted(all("SELECT * FROM flags"), "kind", "name"),
      learnedKeys: sorted(all("SELECT * FROM learned_keys"), "name"),
      settings: sorted(all("SELECT * FROM settings"), "key"),
      userFields: sorted(all("SELECT * FROM user_fields"), "name", "field"),
      accesses: sorted(
        all(
          "SELECT session, at, user AS name, address, tls, mechanism, ended, messages, octets, " +
            "deleted, ending FROM accesses WHERE ended IS NOT NULL",
        ),
        "session",
      ),
      counters: sorted(
        all("SELECT name, total FROM counters WHERE total IS NOT NULL"),
        "name",
      ),
    });
  }

  // deno-lint-ignore require-await -- what is thrown must reject
  async write(rows: StateRows): Promise<void> {
    this.#database.transaction("power-cut", () => {
      if (this.#database.all("SELECT 1 FROM accounts LIMIT 1").length > 0) {
        throw notEmpty(this.name);
      }
      const add = (table: string, each: readonly Row[], more: Row = {}): void => {
        for (const row of each) this.#insert(table, { ...row, ...more });
      };
      for (const { name, value } of rows.installation) {
        this.#database.run("DELETE FROM installation WHERE name = ?", name!);
        const isNumber = name === "revision" || name === "sessions";
        this.#insert("installation", { name: name!, value: isNumber ? Number(value) : value! });
      }
      const owned = Map.groupBy(rows.appPasswords, ({ kind, name }) => `${kind} ${name}`);
      for (const row of rows.accounts) {
        const amount = owned.get(`${row.kind} ${row.name}`)?.length ?? 0;
        this.#insert("accounts", { ...row, app_passwords: amount });
      }
      for (const { expires, networks, read_only, ...row } of rows.appPasswords) {
        this.#insert("app_passwords", row);
        if (expires === null && networks === null && read_only === 0) continue;
        const { kind, name, label } = row;
        const terms = { kind: kind!, name: name!, label: label! };
        this.#insert("app_password_terms", {
          ...terms,
          expires: expires ?? null,
          networks: networks ?? null,
          read_only: read_only!,
        });
      }
      add("flags", rows.flags);
      add("learned_keys", rows.learnedKeys);
      add("settings", rows.settings);
      add("user_fields", rows.userFields);
      const accesses = [...rows.accesses].sort((one, other) => Number(one.at) - Number(other.at));
      for (const { name, ...row } of accesses) this.#insert("accesses", { ...row, user: name! });
      add("counters", rows.counters);
    });
  }

  // deno-lint-ignore require-await -- what is thrown must reject
  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
  }

  #insert(table: string, row: Row): void {
    const names = Object.keys(row);
    this.#database.run(
      `INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => "?").join()})`,
      ...names.map((name) => valueOf(name, row[name]!)),
    );
  }
}

/** The error about a state that would be written over. */
export function notEmpty(name: string): StateStoreError {
  const text = `${name} holds users already, and a copy never takes their place. Name an empty one`;
  return new StateStoreError("unusable", text);
}

const OCTETS: ReadonlySet<string> = new Set(["salt", "stored_key", "server_key"]);

function plain(row: Readonly<Record<string, unknown>>): Row {
  const entries = Object.entries(row).map(([name, value]): [string, Value] => [
    name,
    value instanceof Uint8Array ? value.toHex() : value as Value,
  ]);
  return Object.fromEntries(entries);
}

function valueOf(name: string, value: Value): Value | Uint8Array {
  const isOctets = OCTETS.has(name) || (name === "value" && /^[0-9a-f]{64}$/.test(String(value)));
  return isOctets && value !== null ? Uint8Array.fromHex(String(value)) : value;
}
