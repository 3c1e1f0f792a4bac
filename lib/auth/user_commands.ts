/** What `postern user …` does to the state file, as functions that print nothing: the CLI says how it ended. */

import { readLabelAndTerms, termsText } from "./app_password_terms.ts";
import { printable } from "../bytes/printable.ts";
import type { AccountStore } from "../contracts/account_store.ts";
import type { AccountRegister } from "./account_register.ts";
import type { UserFieldStore } from "../contracts/state_store.ts";
import { DISABLED_FIELD, readUserField, USER_FIELDS } from "./user_fields.ts";
import { fileErrorReason, isFileError } from "../files/file_error.ts";
import { type ImportOutcome, importPwdFiles, importUsers } from "./import_users.ts";

/** How a command ended: lines to show, or a sentence that says why nothing was done. */
export type UserCommandOutcome =
  | { readonly ok: true; readonly lines: Iterable<string> | AsyncIterable<string> }
  | { readonly ok: false; readonly message: string };

/** What the commands work on. */
export interface UserCommandContext {
  readonly accounts: AccountStore;
  readonly register: AccountRegister;
  readonly fields: UserFieldStore;
}

/** `user add NAME`: adds a user who is not there yet. */
export async function addUser(
  { register }: UserCommandContext,
  name: string,
  password: string,
): Promise<UserCommandOutcome> {
  if (await register.has(name)) {
    return refused(
      `User ${printable(name)} exists; set the password with postern user passwd`,
    );
  }
  return await setUser(register, name, password);
}

/** `user passwd NAME`: sets the password of a user who is there. */
export async function changePassword(
  { register }: UserCommandContext,
  name: string,
  password: string,
): Promise<UserCommandOutcome> {
  if (!await register.has(name)) {
    return refused(`No such user: ${printable(name)}; create it with postern user add`);
  }
  return await setUser(register, name, password);
}

/** `user delete NAME`: removes a user; the mail stays. */
export async function deleteUser(
  { register, fields }: UserCommandContext,
  name: string,
): Promise<UserCommandOutcome> {
  const outcome = await register.delete(name);
  switch (outcome.kind) {
    case "deleted":
      await fields.forget(register.canonical(name));
      if (outcome.remainsIn !== undefined) {
        return done(`Deleted user ${printable(name)}, who still stands in ${outcome.remainsIn}`);
      }
      return done(`Deleted user ${printable(name)}; the mail stays`);
    case "in-file":
      return refused(
        `The user ${printable(name)} stands in ${outcome.path}; remove the line there`,
      );
    default:
      return refused(`No such user: ${printable(name)}`);
  }
}

/** `user disable NAME` and `user enable NAME`: keeps a user out, or lets one in again. */
export async function enableUser(
  { register, fields }: UserCommandContext,
  name: string,
  enabled: boolean,
): Promise<UserCommandOutcome> {
  if (!await register.has(name)) return refused(`No such user: ${printable(name)}`);
  const kept = register.canonical(name);
  await fields.set(kept, DISABLED_FIELD, enabled ? undefined : "yes");
  return done(enabled ? `Enabled user ${kept}` : `Disabled user ${kept}; mail and password stay`);
}

/** `user set NAME FIELD VALUE`: sets what is known of a user; an empty value or `-` takes it away. */
export async function setUserField(
  { register, fields }: UserCommandContext,
  name: string,
  field: string,
  text: string,
): Promise<UserCommandOutcome> {
  if (!await register.has(name)) return refused(`No such user: ${printable(name)}`);
  const value = text === "" || text === "-" ? undefined : text;
  try {
    readUserField(field, value ?? "0");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    if (value !== undefined || !USER_FIELDS.includes(field)) {
      return refused(`Invalid value for ${printable(field)}: expected ${error.message}`);
    }
  }
  const kept = register.canonical(name);
  await fields.set(kept, field, value);
  return done(`Changed ${field} of ${kept}`);
}

/** `user list`: a line a user. */
export function listUsers({ register }: UserCommandContext): UserCommandOutcome {
  return { ok: true, lines: register.list() };
}

/** `user key add NAME "LABEL [expires=…] [networks=…] [read-only]"`: makes an app password, which is the only line. */
export async function addUserKey(
  { register }: UserCommandContext,
  name: string,
  said: string,
): Promise<UserCommandOutcome> {
  let label;
  let terms;
  try {
    ({ label, terms } = readLabelAndTerms(said, Date.now()));
  } catch (error) {
    if (error instanceof SyntaxError) return refused(error.message);
    throw error;
  }
  const outcome = await register.addKey(name, label, terms);
  switch (outcome.kind) {
    case "added":
      return done(outcome.password);
    case "absent":
      return refused(`No such user: ${printable(name)}`);
    case "exists":
      return refused(
        `${printable(name)} has an app password ${printable(label)} already; delete it first`,
      );
    case "unsafe-label":
      return refused(`${printable(label)} is not a valid label: ${outcome.reason}`);
    case "in-file":
      return refused(
        `The user ${
          printable(name)
        } stands in ${outcome.path} only; postern user import takes users over`,
      );
  }
}

/** `user key delete NAME LABEL`: an app password that is no longer good. */
export async function deleteUserKey(
  { register }: UserCommandContext,
  name: string,
  label: string,
): Promise<UserCommandOutcome> {
  return await register.deleteKey(name, label)
    ? done(`Deleted app password ${printable(label)} of ${printable(name)}`)
    : refused(`${printable(name)} has no app password ${printable(label)}`);
}

/** `user key list NAME`: label and day, a line an app password. */
export async function listUserKeys(
  { register }: UserCommandContext,
  name: string,
): Promise<UserCommandOutcome> {
  const keys = await register.listKeys(name);
  if (!keys) return refused(`No such user: ${printable(name)}`);
  const lines = keys.map(({ label, at, lastUse: _use, ...terms }) =>
    `${new Date(at).toISOString().slice(0, 10)} ${label} ${termsText(terms)}`.trimEnd()
  );
  return { ok: true, lines };
}

/**
 * `user import FILE`: takes over a passwd-file.
 *
 * @param text the file's text
 * @param path its name, for messages
 */
export async function importUserFile(
  context: UserCommandContext,
  text: string,
  path: string,
): Promise<UserCommandOutcome> {
  try {
    return imported(await importUsers(text, path, context));
  } catch (error) {
    if (error instanceof SyntaxError) return refused(error.message);
    throw error;
  }
}

/** `user import FOLDER`: takes over users whose passwords are the names of `*.pwd` files. */
export async function importUserFolder(
  context: UserCommandContext,
  folder: string,
): Promise<UserCommandOutcome> {
  try {
    return imported(await importPwdFiles(folder, context));
  } catch (error) {
    if (!isFileError(error)) throw error;
    return refused(`${folder} cannot be read: ${fileErrorReason(error)}`);
  }
}

function imported({ added, updated, kept }: ImportOutcome): UserCommandOutcome {
  const lines = [`Added ${added}, updated ${updated}`];
  for (const name of kept) {
    lines.push(
      `Skipped ${printable(name)}: it has app passwords with a different salt; delete them first`,
    );
  }
  return { ok: true, lines };
}

async function setUser(
  register: AccountRegister,
  name: string,
  password: string,
): Promise<UserCommandOutcome> {
  const outcome = await register.set(name, password, { origin: "command" });
  switch (outcome.kind) {
    case "added":
      return done(`Added user ${outcome.name}`);
    case "updated":
      return done(`Changed the password of ${outcome.name}`);
    case "unsafe-name":
      return refused(`${printable(name)} is not a valid user name: ${outcome.reason}`);
    case "unsafe-password":
      return refused(`Invalid password: ${outcome.reason}`);
    case "limit":
      return refused("User limit reached");
  }
}

function done(line: string): UserCommandOutcome {
  return { ok: true, lines: [line] };
}

function refused(message: string): UserCommandOutcome {
  return { ok: false, message };
}
