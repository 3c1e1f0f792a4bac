/** Looks a user up in a state file that another process holds, without waiting for it: for deliveries, which run beside the server. */

import { DatabaseSync } from "node:sqlite";

/** Octets of a state file that is looked into: it is copied for that. */
const MOST_OCTETS = 256 * 1024 * 1024;
/** Where a file's header says how it is written; 1 stands for "without a log beside it". */
const WRITTEN_AT = 18;

/** Times that a file is read which changed while it was. */
const MOST_TRIES = 5;

/** A user of a state file. */
export interface HeldUser {
  readonly fields: ReadonlyMap<string, string>;
}

/**
 * Looks a user up. What the server has answered to is in the file itself, and not in its log.
 *
 * @param name canonical
 * @returns undefined where the file has no such user; `"unknown"` where that cannot be told
 */
export function lookUpHeldUser(path: string, name: string): HeldUser | undefined | "unknown" {
  return withCopy(path, (database) => readUser(database, name));
}

/**
 * Lists all users with their fields, likewise.
 *
 * @returns `"unknown"` where the file cannot be read
 */
export function listHeldUsers(path: string): ReadonlyMap<string, HeldUser> | "unknown" {
  return withCopy(path, (database) => {
    const names = database.prepare("SELECT name FROM accounts WHERE kind = 'user' ORDER BY name");
    const users = new Map<string, { fields: Map<string, string> }>();
    for (const row of names.all()) users.set(String(row.name), { fields: new Map() });
    for (const row of database.prepare("SELECT name, field, value FROM user_fields").all()) {
      users.get(String(row.name))?.fields.set(String(row.field), String(row.value));
    }
    return users;
  });
}

function withCopy<T>(path: string, work: (database: DatabaseSync) => T): T | "unknown" {
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const found = tryCopy(path, work);
    if (found !== "changed") return found;
  }
  return "unknown";
}

function tryCopy<T>(path: string, work: (database: DatabaseSync) => T): T | "unknown" | "changed" {
  let copy: string | undefined;
  try {
    if (Deno.statSync(path).size > MOST_OCTETS) return "unknown";
    const before = lookOf(path);
    copy = Deno.makeTempFileSync({ prefix: "postern-state-" });
    // SQLite would wait for the lock of the server, or be refused; a copy has none.
    const octets = Deno.readFileSync(path);
    octets.fill(1, WRITTEN_AT, WRITTEN_AT + 2);
    Deno.writeFileSync(copy, octets);
    if (lookOf(path) !== before) return "changed";
    const database = new DatabaseSync(copy, { readOnly: true });
    try {
      return work(database);
    } finally {
      database.close();
    }
  } catch (error) {
    // It may not be read, or is no state file.
    if (error instanceof Error) return "unknown";
    throw error;
  } finally {
    if (copy !== undefined) Deno.removeSync(copy);
  }
}

function readUser(database: DatabaseSync, name: string): HeldUser | undefined {
  const account = database.prepare("SELECT 1 FROM accounts WHERE kind = 'user' AND name = ?")
    .get(name);
  if (account === undefined) return undefined;
  const rows = database.prepare("SELECT field, value FROM user_fields WHERE name = ?").all(name);
  return { fields: new Map(rows.map((row) => [String(row.field), String(row.value)])) };
}

function lookOf(path: string): string {
  const { ino, size, mtime } = Deno.statSync(path);
  return `${ino} ${size} ${mtime?.getTime()}`;
}
