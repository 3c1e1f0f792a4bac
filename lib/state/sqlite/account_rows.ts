/** Reads rows of accounts and app passwords in the state file. */

import type { AccountPassword, AppPassword } from "../../contracts/account_store.ts";
import type { ForeignHash, ForeignScheme, ScramKeys } from "../../contracts/user_source.ts";
import type { Row } from "./database.ts";

/** SCRAM keys. */
export function keysOf(row: Row): ScramKeys {
  return { storedKey: row.stored_key as Uint8Array, serverKey: row.server_key as Uint8Array };
}

/** An app password with its terms. */
export function appPasswordOf(row: Row): AppPassword {
  return {
    label: row.label as string,
    at: row.at as number,
    ...(typeof row.expires === "number" && { expires: row.expires }),
    ...(typeof row.networks === "string" && { networks: row.networks.split(",") }),
    ...(row.read_only === 1 && { readOnly: true }),
  };
}

/** An account's password. */
export function passwordOf(row: Row): AccountPassword {
  if (row.hash === null) return { kind: "keys", keys: keysOf(row) };
  return { kind: "foreign", hash: foreignOf(row) };
}

/** A hash that another server made. */
export function foreignOf(row: Row): ForeignHash {
  return { scheme: row.scheme as ForeignScheme, data: row.hash as string };
}
