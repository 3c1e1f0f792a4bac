/** What one node at a time does for all: forgets what is too old. */

import { ACCESS_DAYS, ACCESSES_PER_USER, HISTORY_MINUTES } from "../retention.ts";
import type { Database } from "./database.ts";

/** Rows that age removes in one statement, so that none takes long. */
const AT_ONCE = 1000;

/** Forgets signals, failures, bans, old history and nodes that are gone; meant for each minute. */
export async function cleanOften(database: Database): Promise<void> {
  const statements = [
    "DELETE FROM {signal} WHERE at < now() - interval '1 hour'",
    "DELETE FROM {failure} WHERE at < now() - interval '1 day'",
    "DELETE FROM {ban} WHERE until <= now()",
    "DELETE FROM {node} n WHERE n.seen < now() - interval '1 hour' AND NOT EXISTS " +
    "(SELECT 1 FROM {lease} l WHERE l.node = n.name)",
  ];
  for (const statement of statements) await database.query(statement, [], { repeatable: true });
}

/** Forgets access records that are too old or too many, and history of nodes that are gone; meant for each hour. */
export async function cleanSeldom(database: Database): Promise<void> {
  const old = `SELECT session FROM {access} WHERE at < now() - interval '${ACCESS_DAYS} days' ` +
    `LIMIT ${AT_ONCE}`;
  await removeAccesses(database, old, []);
  const { rows } = await database.query(
    `SELECT name FROM {access} GROUP BY name HAVING count(*) > ${ACCESSES_PER_USER}`,
    [],
    { repeatable: true },
  );
  for (const { name } of rows) {
    const surplus = "SELECT session FROM {access} WHERE name = $1 ORDER BY at DESC, session DESC " +
      `OFFSET ${ACCESSES_PER_USER} LIMIT ${AT_ONCE}`;
    await removeAccesses(database, surplus, [name]);
  }
  await database.query(
    "DELETE FROM {history} WHERE minute < extract(epoch FROM now()) / 60 - $1 AND node NOT IN " +
      "(SELECT name FROM {node})",
    [HISTORY_MINUTES],
    { repeatable: true },
  );
}

async function removeAccesses(
  database: Database,
  which: string,
  values: readonly unknown[],
): Promise<void> {
  const statement = `DELETE FROM {access} WHERE session IN (${which})`;
  while ((await database.query(statement, values, { repeatable: true })).count === AT_ONCE);
}
