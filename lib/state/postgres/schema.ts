/** The tables of a state in a database, as steps from each version to the next. A step that was released never changes. */

import { StateStoreError } from "../../contracts/state_store.ts";
import type { Database, Query } from "./database.ts";
import { codeOf } from "./database_trouble.ts";

/** Marks a schema as Postern's. */
const MARK = "Postern";

/**
 * Step n brings a schema of version n to version n + 1. Statements may run twice, and only add: a node of the version before goes on
 * beside a newer one. They keep to what PostgreSQL 13, CockroachDB and YugabyteDB have.
 */
const STEPS: readonly (readonly string[])[] = [[
  `CREATE TABLE IF NOT EXISTS {installation} (
    name text PRIMARY KEY, value text NOT NULL)`,
  `CREATE SEQUENCE IF NOT EXISTS {revision}`,
  `CREATE TABLE IF NOT EXISTS {account} (
    kind text NOT NULL, name text COLLATE "C" NOT NULL, origin text NOT NULL, at bigint NOT NULL,
    revision bigint NOT NULL, salt bytea NOT NULL, iterations int NOT NULL,
    stored_key bytea, server_key bytea, scheme text, hash text,
    PRIMARY KEY (kind, name))`,
  `CREATE INDEX IF NOT EXISTS account_without_keys ON {account} (kind) WHERE stored_key IS NULL`,
  `CREATE TABLE IF NOT EXISTS {app_password} (
    kind text NOT NULL, name text COLLATE "C" NOT NULL, label text COLLATE "C" NOT NULL,
    at bigint NOT NULL, stored_key bytea NOT NULL, server_key bytea NOT NULL,
    expires bigint, networks text, read_only boolean NOT NULL DEFAULT false,
    used_at bigint, used_from text,
    PRIMARY KEY (kind, name, label),
    FOREIGN KEY (kind, name) REFERENCES {account} ON DELETE CASCADE)`,
  `CREATE TABLE IF NOT EXISTS {flag} (
    kind text NOT NULL, name text COLLATE "C" NOT NULL, salt bytea NOT NULL, iterations int NOT NULL,
    stored_key bytea NOT NULL, PRIMARY KEY (kind, name))`,
  `CREATE TABLE IF NOT EXISTS {learned_key} (
    name text COLLATE "C" PRIMARY KEY, fingerprint text NOT NULL, salt bytea NOT NULL,
    iterations int NOT NULL, stored_key bytea NOT NULL, server_key bytea NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS {setting} (key text COLLATE "C" PRIMARY KEY, value text NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS {node} (
    name text PRIMARY KEY, epoch bigint NOT NULL, instance text NOT NULL, seen timestamptz NOT NULL,
    started timestamptz NOT NULL, version text NOT NULL, state text NOT NULL, figures text NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS {lease} (
    name text COLLATE "C" NOT NULL, slot int NOT NULL, session text NOT NULL UNIQUE,
    node text NOT NULL REFERENCES {node} ON DELETE CASCADE, epoch bigint NOT NULL,
    worker text NOT NULL, address text NOT NULL, tls text, mechanism text NOT NULL,
    since timestamptz NOT NULL, busy_until timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (name, slot))`,
  `CREATE INDEX IF NOT EXISTS lease_of_node ON {lease} (node, epoch)`,
  `CREATE TABLE IF NOT EXISTS {access} (
    session text PRIMARY KEY, node text, name text COLLATE "C", at timestamptz, address text, tls text,
    mechanism text, ended timestamptz, messages bigint, octets bigint, deleted bigint, ending text)`,
  `CREATE INDEX IF NOT EXISTS access_of_user ON {access} (name, at)`,
  `CREATE INDEX IF NOT EXISTS access_by_time ON {access} (at)`,
  `CREATE TABLE IF NOT EXISTS {counter} (
    node text NOT NULL, name text NOT NULL, total double precision, PRIMARY KEY (node, name))`,
  `CREATE TABLE IF NOT EXISTS {history} (
    minute bigint NOT NULL, node text NOT NULL, name text NOT NULL, value double precision,
    weight double precision, PRIMARY KEY (minute, node, name))`,
  `CREATE TABLE IF NOT EXISTS {history_hour} (
    hour bigint NOT NULL, node text NOT NULL, name text NOT NULL, value double precision NOT NULL,
    PRIMARY KEY (hour, node, name))`,
  `CREATE TABLE IF NOT EXISTS {ban} (
    kind text NOT NULL, target text COLLATE "C" NOT NULL, since timestamptz NOT NULL,
    until timestamptz NOT NULL, failures int NOT NULL, PRIMARY KEY (kind, target))`,
  `CREATE TABLE IF NOT EXISTS {failure} (
    target text NOT NULL, mark text NOT NULL, other text NOT NULL, at timestamptz NOT NULL,
    times int NOT NULL, node text NOT NULL, id bigint NOT NULL, PRIMARY KEY (target, mark))`,
  `CREATE INDEX IF NOT EXISTS failure_by_id ON {failure} (id)`,
  `CREATE TABLE IF NOT EXISTS {signal} (
    id bigint PRIMARY KEY, node text NOT NULL, kind text NOT NULL, body text NOT NULL,
    at timestamptz NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS {login_time} (name text COLLATE "C" PRIMARY KEY, at timestamptz NOT NULL)`,
], [
  `CREATE TABLE IF NOT EXISTS {user_field} (
    name text COLLATE "C" NOT NULL, field text NOT NULL, value text NOT NULL,
    PRIMARY KEY (name, field))`,
]];

/** What PostgreSQL alone understands, and a schema works without: many short rows come and go in these tables. */
const TUNING: readonly string[] = [
  "ALTER TABLE {lease} SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, " +
  "autovacuum_vacuum_threshold = 2000)",
  "ALTER TABLE {node} SET (fillfactor = 50)",
];

/** Made up once, for transactions that make the same schema at the same time. */
const MIGRATION_LOCK = 0x504f5354;

/**
 * Makes the tables where there are none, and brings them to the present version.
 *
 * @param may whether anything may be made or changed; a command that only reads leaves a database as it is
 * @throws {StateStoreError} when the schema is another program's or a newer version's, or the account may not make it; nothing was
 * changed then
 */
export async function prepareSchema(
  database: Database,
  schema: string,
  may: "make" | "read" = "make",
): Promise<void> {
  const before = await lookAt(database, schema);
  if (before === STEPS.length) return;
  if (may === "read") {
    const text = `The database ${database.name} holds no state yet. Start a server with it, or ` +
      "postern user add";
    throw new StateStoreError("empty", text);
  }
  await database.transaction(async (query) => {
    await query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    if (!await schemaExists(query, schema)) await query(`CREATE SCHEMA "${schema}"`);
    const version = await versionIn(query, schema, database.name);
    for (const step of STEPS.slice(version)) for (const statement of step) await query(statement);
    const secret = crypto.getRandomValues(new Uint8Array(32)).toHex();
    const first = [["program", MARK], ["secret", secret], ["sessions", "0"], ["changes", "0"]];
    for (const [name, value] of first) {
      await query("INSERT INTO {installation} VALUES ($1, $2) ON CONFLICT DO NOTHING", [
        name,
        value,
      ]);
    }
    await query(
      "INSERT INTO {installation} VALUES ('version', $1) " +
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      [String(STEPS.length)],
    );
  });
  for (const statement of TUNING) {
    await database.query(statement).catch((error) => {
      if (!(error instanceof StateStoreError)) throw error;
    });
  }
}

async function lookAt(database: Database, schema: string): Promise<number> {
  const query: Query = (text, values) => database.query(text, values, { repeatable: true });
  return await schemaExists(query, schema) ? await versionIn(query, schema, database.name) : 0;
}

async function schemaExists(query: Query, schema: string): Promise<boolean> {
  const { count } = await query(
    "SELECT 1 FROM information_schema.schemata WHERE schema_name = $1 " +
      "UNION SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1",
    [schema],
  );
  return count > 0;
}

/** The version of a schema that exists; 0 where it is empty. */
async function versionIn(query: Query, schema: string, name: string): Promise<number> {
  const { rows } = await query(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1",
    [schema],
  );
  if (rows.length === 0) return 0;
  const values = rows.some((row) => row.name === "installation") ? await read(query) : undefined;
  if (values?.get("program") !== MARK) {
    const text = `The schema ${schema} of the database ${name} belongs to another program. ` +
      "Name another one with ?schema=NAME in --state";
    throw new StateStoreError("foreign", text);
  }
  const version = Number(values.get("version") ?? 0);
  if (version > STEPS.length) {
    const text = `The database ${name} has version ${version}, made by a newer Postern; this one ` +
      `knows versions up to ${STEPS.length}. Use the newer Postern, or name another schema in --state`;
    throw new StateStoreError("newer", text);
  }
  return version;
}

/** What the installation's table says; undefined where it is another program's. */
async function read(query: Query): Promise<ReadonlyMap<unknown, unknown> | undefined> {
  try {
    const { rows } = await query(
      "SELECT name, value FROM {installation} WHERE name IN ('program', 'version')",
    );
    return new Map(rows.map((row) => [row.name, row.value]));
  } catch (error) {
    // It has other columns.
    if (["42703", "42P01"].includes(codeOf(causeOf(error)) ?? "")) return undefined;
    throw error;
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof StateStoreError ? error.cause : error;
}
