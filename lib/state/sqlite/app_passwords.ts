/** App passwords in the state file: what they are good for, and when they were used last. */

import type { AccountKind, AppPassword, ListedAppPassword } from "../../contracts/account_store.ts";
import type { AppPasswordTerms, AppPasswordUse, ScramKeys } from "../../contracts/user_source.ts";
import { appPasswordOf, keysOf } from "./account_rows.ts";
import type { SqliteDatabase } from "./database.ts";

/** Names an app password: kind and name of its account, and its label. */
export type AppPasswordKey = readonly [kind: AccountKind, name: string, label: string];

/** An account's app passwords with their keys. */
export function readAppPasswords(
  database: SqliteDatabase,
  kind: AccountKind,
  name: string,
): readonly (AppPassword & ScramKeys)[] {
  return database.all(
    "SELECT label, at, stored_key, server_key, expires, networks, read_only FROM app_passwords " +
      "LEFT JOIN app_password_terms USING (kind, name, label) WHERE kind = ? AND name = ?",
    kind,
    name,
  ).map((row) => ({ ...appPasswordOf(row), ...keysOf(row) }));
}

/** An account's app passwords by label, with their last uses. */
export function listAppPasswords(
  database: SqliteDatabase,
  kind: AccountKind,
  name: string,
): readonly ListedAppPassword[] {
  return database.all(
    "SELECT label, made.at AS at, expires, networks, read_only, used.at AS used_at, address " +
      "FROM app_passwords AS made LEFT JOIN app_password_terms USING (kind, name, label) " +
      "LEFT JOIN app_password_uses AS used USING (kind, name, label) " +
      "WHERE kind = ? AND name = ? ORDER BY label",
    kind,
    name,
  ).map((row) => ({
    ...appPasswordOf(row),
    ...(row.used_at !== null && {
      lastUse: { at: row.used_at as number, address: row.address as string },
    }),
  }));
}

/** Notes a use of an app password, if there is one. A power cut may take it back. */
export function noteAppPasswordUse(
  database: SqliteDatabase,
  key: AppPasswordKey,
  { at, address }: AppPasswordUse,
): void {
  database.transaction("kill", () => {
    database.run(
      "INSERT INTO app_password_uses SELECT kind, name, label, ?, ? FROM app_passwords " +
        "WHERE kind = ? AND name = ? AND label = ? " +
        "ON CONFLICT (kind, name, label) DO UPDATE SET at = excluded.at, address = excluded.address",
      at,
      address,
      ...key,
    );
  });
}

/** Within a transaction: most app passwords are good for everything, and have no row. */
export function writeTerms(
  database: SqliteDatabase,
  key: AppPasswordKey,
  { expires, networks, readOnly }: AppPasswordTerms,
): void {
  if (expires === undefined && networks === undefined && !readOnly) return;
  database.run(
    "INSERT INTO app_password_terms VALUES (?, ?, ?, ?, ?, ?)",
    ...key,
    expires ?? null,
    networks?.join(",") ?? null,
    readOnly ? 1 : 0,
  );
}
