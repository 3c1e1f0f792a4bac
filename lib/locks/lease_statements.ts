/** The statements of maildrop leases in a database (reach.md, "Nodes and leases"). */

import type { LeaseClient } from "../contracts/locks.ts";
import type { Database } from "../state/postgres/database.ts";
import { CRASHED_ROWS, SILENCE } from "../state/postgres/membership.ts";

/** A lease that is to be taken. */
export interface Wanted {
  readonly user: string;
  readonly session: string;
  /** How many may hold the user's lock. */
  readonly sessions: number;
  readonly client: LeaseClient | undefined;
}

/** How a session ended whose lease is given back. */
export interface Given {
  readonly session: string;
  /** Absent where no record is to be kept. */
  readonly record: {
    readonly messages: number;
    readonly octets: number;
    readonly deleted: number;
    readonly ending: string;
  } | undefined;
}

/** Where leases are taken. */
export interface LeaseHolderNode {
  readonly name: string;
  readonly epoch: number;
}

/** Whose node shows that it is dead: it beats no more, or has begun anew. Never while QUIT is at work in its name. */
export const DEAD =
  `h.busy_until < now() AND (n.epoch > h.epoch OR (n.epoch = h.epoch AND n.seen <= now() - ${SILENCE}))`;

/** What is shown where no client stands behind a lease. */
const NONE = "-";

const NEW_COLUMNS = "name, slot, session, node, epoch, worker, address, tls, mechanism, since";

/** Takes leases where there is room. Returns the sessions that got theirs. */
export async function takeLeases(
  database: Database,
  node: LeaseHolderNode,
  wanted: readonly Wanted[],
): Promise<ReadonlySet<string>> {
  const { rows } = await database.query(
    `INSERT INTO {lease} (${NEW_COLUMNS}) SELECT u.name, f.slot, u.session, $1::text, $2::bigint, ` +
      "u.worker, u.address, u.tls, u.mechanism, now() FROM unnest($3::text[], $4::text[], " +
      "$5::int[], $6::text[], $7::text[], $8::text[], $9::text[]) AS u (name, session, sessions, " +
      "worker, address, tls, mechanism) CROSS JOIN LATERAL (SELECT s AS slot FROM " +
      "generate_series(1, u.sessions) AS s WHERE NOT EXISTS (SELECT 1 FROM {lease} h WHERE " +
      "h.name = u.name AND h.slot = s) ORDER BY s LIMIT 1) AS f ON CONFLICT DO NOTHING " +
      "RETURNING session",
    [
      node.name,
      node.epoch,
      wanted.map(({ user }) => user),
      wanted.map(({ session }) => session),
      wanted.map(({ sessions }) => sessions),
      wanted.map(({ session }) => workerOf(session)),
      wanted.map(({ client }) => client?.address ?? NONE),
      wanted.map(({ client }) => client?.tls ?? null),
      wanted.map(({ client }) => client?.mechanism ?? NONE),
    ],
  );
  return new Set(rows.map((row) => String(row.session)));
}

/** Takes over a lease of a user whose node is dead. The old session's record says that it crashed. */
export async function takeOver(
  database: Database,
  node: LeaseHolderNode,
  { user, session, sessions, client }: Wanted,
): Promise<boolean> {
  const { count } = await database.query(
    "WITH old AS (SELECT h.* FROM {lease} h JOIN {node} n ON n.name = h.node WHERE h.name = $1 " +
      `AND h.slot <= $2 AND ${DEAD} ORDER BY h.slot LIMIT 1 FOR UPDATE OF h), ` +
      "taken AS (UPDATE {lease} l SET session = $3, node = $4, epoch = $5, worker = $6, " +
      "address = $7, tls = $8, mechanism = $9, since = now(), busy_until = '-infinity' FROM old " +
      "WHERE l.name = old.name AND l.slot = old.slot RETURNING l.session), " +
      "written AS (INSERT INTO {access} SELECT session, node, name, since, address, tls, " +
      "mechanism, now(), 0, 0, 0, 'crashed' FROM old WHERE mechanism <> '-' " +
      "ON CONFLICT (session) DO NOTHING) SELECT session FROM taken",
    [
      user,
      sessions,
      session,
      node.name,
      node.epoch,
      workerOf(session),
      client?.address ?? NONE,
      client?.tls ?? null,
      client?.mechanism ?? NONE,
    ],
  );
  return count > 0;
}

/** Makes leases busy, so that nobody takes them over for ten seconds. Returns the sessions that hold theirs still. */
export async function claimLeases(
  database: Database,
  sessions: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await database.query(
    "UPDATE {lease} SET busy_until = now() + interval '10 s' WHERE session = ANY($1::text[]) " +
      "RETURNING session",
    [sessions],
    { repeatable: true },
  );
  return new Set(rows.map((row) => String(row.session)));
}

/** Brings the leases of a lapsed epoch into the present one. Returns those that nobody took. */
export async function reviveLeases(
  database: Database,
  node: LeaseHolderNode,
  before: number,
  sessions: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await database.query(
    "UPDATE {lease} SET epoch = $1 WHERE node = $2 AND (epoch = $3 OR epoch = $1) AND " +
      "session = ANY($4::text[]) RETURNING session",
    [node.epoch, node.name, before, sessions],
    { repeatable: true },
  );
  return new Set(rows.map((row) => String(row.session)));
}

/** Gives leases back, and keeps the records of their sessions, in one statement. */
export async function endLeases(database: Database, given: readonly Given[]): Promise<void> {
  await database.query(
    "WITH e AS (SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], " +
      "$5::text[]) AS e (session, messages, octets, deleted, ending)), " +
      "gone AS (DELETE FROM {lease} l USING e WHERE l.session = e.session RETURNING l.*) " +
      "INSERT INTO {access} SELECT g.session, g.node, g.name, g.since, g.address, g.tls, " +
      "g.mechanism, now(), e.messages, e.octets, e.deleted, e.ending FROM gone g " +
      "JOIN e ON e.session = g.session WHERE e.ending IS NOT NULL ON CONFLICT (session) DO NOTHING",
    [
      given.map(({ session }) => session),
      given.map(({ record }) => record?.messages ?? null),
      given.map(({ record }) => record?.octets ?? null),
      given.map(({ record }) => record?.deleted ?? null),
      given.map(({ record }) => record?.ending ?? null),
    ],
    { repeatable: true },
  );
}

/** How many live leases a user has. */
export async function countLeases(database: Database, user: string): Promise<number> {
  const { rows } = await database.query(
    "SELECT count(*) AS count FROM {lease} h JOIN {node} n ON n.name = h.node " +
      `WHERE h.name = $1 AND NOT (${DEAD})`,
    [user],
    { repeatable: true },
  );
  return Number(rows[0]?.count);
}

/** Leases that are dead now. */
export async function deadLeases(database: Database): Promise<readonly string[]> {
  const { rows } = await database.query(
    `SELECT h.session FROM {lease} h JOIN {node} n ON n.name = h.node WHERE ${DEAD}`,
    [],
    { repeatable: true },
  );
  return rows.map((row) => String(row.session));
}

/** Removes leases that are dead still, each with the record that its session crashed. */
export async function removeDead(database: Database, sessions: readonly string[]): Promise<void> {
  await database.query(
    `WITH gone AS (DELETE FROM {lease} h USING {node} n WHERE n.name = h.node AND ${DEAD} AND ` +
      `h.session = ANY($1::text[]) RETURNING h.*) ${CRASHED_ROWS}`,
    [sessions],
    { repeatable: true },
  );
}

/** Session names begin with their worker's. */
function workerOf(session: string): string {
  return session.split("-", 1)[0]!;
}
