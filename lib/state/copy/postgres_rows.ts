/** A state in a database as rows. */

import { StateStoreError } from "../../contracts/state_store.ts";
import type { Query } from "../postgres/database.ts";
import { SILENCE } from "../postgres/membership.ts";
import type { PostgresState } from "../postgres/postgres_state.ts";
import { millisecondsSql, momentSql } from "../postgres/values.ts";
import { type Row, type RowPlace, sorted, type StateRows, type Value } from "./rows.ts";
import { notEmpty } from "./sqlite_rows.ts";

/** Under this name stands what was counted before a copy. */
const BEFORE = "*copied";
/** Rows of one statement. */
const AT_ONCE = 500;
const KEPT: readonly string[] = ["secret", "sessions", "running"];

/** A state in a database that no server uses. */
export class PostgresRows implements RowPlace {
  readonly #state: PostgresState;

  constructor(state: PostgresState) {
    this.#state = state;
  }

  get name(): string {
    return this.#state.database.name;
  }

  async read(): Promise<StateRows> {
    return await this.#state.database.transaction(async (query) => {
      await refuseServers(query, this.name);
      const all = async (sql: string): Promise<Row[]> => (await query(sql)).rows.map(plain);
      const values = await all("SELECT name, value FROM {installation}");
      const [revision] = await all("SELECT last_value::text AS value FROM {revision}");
      return {
        installation: sorted([
          ...values.filter(({ name }) => KEPT.includes(String(name))),
          { name: "revision", value: revision!.value! },
        ], "name"),
        accounts: sorted(
          await all(
            "SELECT kind, name, origin, at, revision, salt, iterations, stored_key, server_key, " +
              "scheme, hash FROM {account}",
          ),
          ...["kind", "name"],
        ),
        appPasswords: sorted(
          await all(
            "SELECT kind, name, label, at, stored_key, server_key, expires, networks, read_only " +
              "FROM {app_password}",
          ),
          ...["kind", "name", "label"],
        ),
        flags: sorted(await all("SELECT * FROM {flag}"), "kind", "name"),
        learnedKeys: sorted(await all("SELECT * FROM {learned_key}"), "name"),
        settings: sorted(await all("SELECT * FROM {setting}"), "key"),
        userFields: sorted(
          await all("SELECT name, field, value FROM {user_field}"),
          "name",
          "field",
        ),
        accesses: sorted(
          await all(
            `SELECT session, round(${
              millisecondsSql("at")
            }) AS at, name, address, tls, mechanism, ` +
              `round(${millisecondsSql("ended")}) AS ended, messages, octets, deleted, ending ` +
              "FROM {access}",
          ),
          "session",
        ),
        counters: sorted(
          await all(
            "SELECT name, CASE WHEN name LIKE '%.peak' THEN max(total) ELSE sum(total) END AS total " +
              "FROM {counter} GROUP BY name",
          ),
          "name",
        ),
      };
    });
  }

  async write(rows: StateRows): Promise<void> {
    await this.#state.database.transaction(async (query) => {
      await refuseServers(query, this.name);
      if ((await query("SELECT 1 FROM {account} LIMIT 1")).count > 0) throw notEmpty(this.name);
      for (const { name, value } of rows.installation) {
        if (name === "revision") {
          await query("SELECT setval('{revision}', greatest($1::bigint, 1))", [value]);
          continue;
        }
        await query(
          "INSERT INTO {installation} VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET " +
            "value = excluded.value",
          [name, value],
        );
      }
      await insert(query, "account", rows.accounts);
      await insert(query, "app_password", rows.appPasswords);
      await insert(query, "flag", rows.flags);
      await insert(query, "learned_key", rows.learnedKeys);
      await insert(query, "setting", rows.settings);
      await insert(query, "user_field", rows.userFields);
      await query("DELETE FROM {access}");
      await insert(query, "access", rows.accesses);
      await query("DELETE FROM {counter}");
      await insert(query, "counter", rows.counters.map((row) => ({ ...row, node: BEFORE })));
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#state[Symbol.asyncDispose]();
  }
}

const OCTETS: ReadonlySet<string> = new Set(["salt", "stored_key", "server_key"]);
const NUMBERS: ReadonlySet<string> = new Set([
  ...["at", "revision", "iterations", "expires", "ended", "messages", "octets", "deleted", "total"],
]);

/** @throws {StateStoreError} when servers use the database */
async function refuseServers(query: Query, name: string): Promise<void> {
  const { rows } = await query(`SELECT name FROM {node} WHERE seen > now() - ${SILENCE}`);
  if (rows.length === 0) return;
  const text = `The database ${name} is used by ${rows.map((row) => row.name).join(", ")}. ` +
    "Stop all servers first";
  throw new StateStoreError("held", text);
}

function plain(row: Readonly<Record<string, unknown>>): Row {
  const entries = Object.entries(row).map(([name, value]): [string, Value] => {
    if (value instanceof Uint8Array) return [name, new Uint8Array(value).toHex()];
    if (typeof value === "boolean") return [name, value ? 1 : 0];
    return [name, value !== null && NUMBERS.has(name) ? Number(value) : value as Value];
  });
  return Object.fromEntries(entries);
}

async function insert(query: Query, table: string, rows: readonly Row[]): Promise<void> {
  const isAccess = table === "access";
  for (let at = 0; at < rows.length; at += AT_ONCE) {
    const part = rows.slice(at, at + AT_ONCE);
    const names = Object.keys(part[0]!);
    const values: unknown[] = [];
    const places = part.map((row) =>
      `(${
        names.map((name) => {
          values.push(valueOf(name, row[name]!));
          const place = `$${values.length}`;
          return isAccess && (name === "at" || name === "ended") ? momentSql(place) : place;
        }).join()
      })`
    );
    await query(`INSERT INTO {${table}} (${names.join()}) VALUES ${places.join()}`, values);
  }
}

function valueOf(name: string, value: Value): unknown {
  if (value === null) return null;
  if (OCTETS.has(name)) return Uint8Array.fromHex(String(value));
  return name === "read_only" ? value === 1 : value;
}
