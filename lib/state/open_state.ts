/** Chooses where the state is: a file, memory, or a database that several servers share. */

import { fileErrorReason } from "../files/file_error.ts";
import type { BackupSource, StateStore } from "../contracts/state_store.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import type { Settings } from "../contracts/settings.ts";
import type { PostgresState, PostgresStateOptions } from "./postgres/postgres_state.ts";
import { isDatabase } from "./postgres/state_url.ts";
import { readKeptSettings } from "./sqlite/settings.ts";
import { SqliteState, type SqliteStateOptions } from "./sqlite/sqlite_state.ts";

/** The settings that say where the state is. */
export type StatePlace = Pick<Settings, "state" | "statePassword" | "stateWait">;

/** A state that is open, and what it can do beyond. */
export type OpenState =
  | { readonly kind: "file"; readonly state: StateStore & BackupSource }
  /** Other servers share it. */
  | { readonly kind: "database"; readonly state: PostgresState };

/** How a state is opened. */
export interface OpenStateOptions
  extends
    Pick<SqliteStateOptions, "newState" | "warn" | "onTrouble" | "onRecovery">,
    Pick<PostgresStateOptions, "node" | "schema" | "onWait"> {
  readonly place: StatePlace;
}

/**
 * Opens the state.
 *
 * @throws {StateStoreError} when it cannot be used, saying why; nothing was changed then
 */
export async function openState({ place, ...options }: OpenStateOptions): Promise<OpenState> {
  const { state: path } = place;
  if (!isDatabase(path)) {
    return { kind: "file", state: await SqliteState.open({ ...options, path }) };
  }
  const password = place.statePassword && await readPassword(place.statePassword);
  // Loaded for those who need it alone: it brings the driver along.
  const { PostgresState } = await import("./postgres/postgres_state.ts");
  const state = await PostgresState.open({
    ...options,
    url: path,
    password,
    wait: place.stateWait * 1000,
  });
  return { kind: "database", state };
}

/**
 * Reads the values that SET kept, without changing anything and without making a state where there is none.
 *
 * @returns texts by key (`max_users`)
 * @throws {StateStoreError} when the state cannot be read
 */
export async function readKept(place: StatePlace): Promise<ReadonlyMap<string, string>> {
  if (!isDatabase(place.state)) return await readKeptSettings(place.state);
  try {
    const { state } = await openState({ place: { ...place, stateWait: 0 }, schema: "read" });
    await using open = state;
    return await open.settings.all();
  } catch (error) {
    if (error instanceof StateStoreError && error.trouble === "empty") return new Map();
    throw error;
  }
}

/** Reads a password that is given as itself, or as `@FILE`. @throws {StateStoreError} */
async function readPassword(text: string): Promise<string> {
  if (text.startsWith("@@")) return text.slice(1);
  if (!text.startsWith("@")) return text;
  const path = text.slice(1);
  try {
    return (await Deno.readTextFile(path)).replace(/\r?\n$/, "");
  } catch (error) {
    const reason = `The password file ${path} of --state-password cannot be read: ${
      fileErrorReason(error)
    }`;
    throw new StateStoreError("unusable", reason, { cause: error });
  }
}
