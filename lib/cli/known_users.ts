/** Finds the users whom a server with the same settings would have, and what is known of each, without a server. */

import { knownUser } from "../auth/user_fields.ts";
import { PasswdFile } from "../auth/passwd/passwd_file.ts";
import { canonicalName } from "../bytes/canonical_name.ts";
import type { Settings } from "../contracts/settings.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import type { UserRecord } from "../contracts/user_record.ts";
import { SqliteState } from "../state/sqlite/sqlite_state.ts";
import { listHeldUsers } from "../state/sqlite/held_users.ts";
import { StateFile } from "../state/state_file.ts";

/** Who the users are. */
export type UserSettings = Pick<
  Settings,
  "state" | "users" | "user" | "defaultDomain" | "names" | "recipientDelimiter"
>;

/** Told of what is found on the way. */
export interface UserTrouble {
  /** What keeps a user from being served. */
  problem(sentence: string): void;
  /** What could not be looked at. */
  note(sentence: string): void;
}

/** Finds all users, by their canonical names. */
export async function findUsers(
  settings: UserSettings,
  report: UserTrouble,
): Promise<ReadonlyMap<string, UserRecord | undefined>> {
  const users = new Map<string, UserRecord | undefined>();
  /** As each was written, by the canonical name. */
  const written = new Map<string, string>();
  const add = (name: string, record: UserRecord | undefined, isKept = false): void => {
    const canonical = canonicalName(name, settings);
    const other = written.get(canonical);
    if (other !== undefined && other !== name) {
      report.problem(`The accounts ${other} and ${name} collide: both are read as ${canonical}`);
    } else if (isKept && name !== canonical) {
      report.problem(`The account ${name} cannot log in: it is read as ${canonical}`);
    }
    written.set(canonical, other ?? name);
    users.set(canonical, record ?? users.get(canonical));
  };
  if (settings.users !== undefined) await addFile(settings, settings.users, add, report);
  await addState(settings, add, report);
  for (const text of settings.user) add(text.slice(0, text.indexOf(":")), undefined);
  return users;
}

/** Takes a user; an account of the state is found by exactly its name. */
type Add = (name: string, record: UserRecord | undefined, isKept?: boolean) => void;

async function addFile(
  settings: UserSettings,
  path: string,
  add: Add,
  report: UserTrouble,
): Promise<void> {
  try {
    const file = await PasswdFile.read({
      path,
      secret: new Uint8Array(32),
      defaultDomain: settings.defaultDomain,
      names: settings.names,
      recipientDelimiter: settings.recipientDelimiter,
      onRefused: (lines) => lines.forEach((line) => report.problem(line)),
    });
    for (const name of file.names()) add(name, (await file.find(name))?.record);
  } catch (error) {
    report.problem(error instanceof Error ? error.message : String(error));
  }
}

async function addState(
  { state: path }: UserSettings,
  add: Add,
  report: UserTrouble,
): Promise<void> {
  if (path === ":memory:" || new StateFile(path).presence !== "present") return;
  try {
    await using state = await SqliteState.open({ path });
    for await (const name of state.users.list()) {
      const { record } = knownUser(await state.fields.find(name), undefined);
      add(name, record, true);
    }
  } catch (error) {
    if (!(error instanceof StateStoreError)) throw error;
    if (error.trouble !== "held") return report.problem(error.message);
    const users = listHeldUsers(path);
    if (users === "unknown") {
      return report.note(`The users of ${path} are not read: a running server holds it`);
    }
    for (const [name, { fields }] of users) add(name, knownUser(fields, undefined).record, true);
  }
}
