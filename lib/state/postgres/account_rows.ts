/** Reads rows of accounts and app passwords in a database. */

import type { AccountOrigin, AppPassword, StoredAccount } from "../../contracts/account_store.ts";
import type { ForeignHash, ForeignScheme, ScramKeys } from "../../contracts/user_source.ts";
import type { Row } from "./connection.ts";
import { numberOf, octetsOf } from "./values.ts";

/** An account without its app passwords. */
export function accountOf(row: Row): StoredAccount & { appPasswords: (AppPassword & ScramKeys)[] } {
  return {
    name: String(row.name),
    origin: row.origin as AccountOrigin,
    at: numberOf(row.at),
    revision: numberOf(row.revision),
    salt: octetsOf(row.salt),
    iterations: numberOf(row.iterations),
    password: row.hash === null
      ? {
        kind: "keys",
        keys: { storedKey: octetsOf(row.stored_key), serverKey: octetsOf(row.server_key) },
      }
      : { kind: "foreign", hash: foreignOf(row) },
    appPasswords: [],
  };
}

/** A hash that another server made. */
export function foreignOf(row: Row): ForeignHash {
  return { scheme: row.scheme as ForeignScheme, data: String(row.hash) };
}

/** An app password with its terms. */
export function appPasswordOf(row: Row): AppPassword {
  return {
    label: String(row.label),
    at: numberOf(row.at),
    ...(row.expires !== null && { expires: numberOf(row.expires) }),
    ...(row.networks !== null && { networks: String(row.networks).split(",") }),
    ...(row.read_only === true && { readOnly: true }),
  };
}
