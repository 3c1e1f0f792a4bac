/** What users had before an import, in a file beside the state file that only its owner may read. */

import { dirname } from "node:path";
import type { Account, AccountPassword } from "../contracts/account_store.ts";
import { isNotFound } from "../files/file_error.ts";
import { syncFolder } from "../files/sync_folder.ts";

/** A user whom an import added or changed. */
export interface UndoneUser {
  readonly name: string;
  readonly after: AccountPassword;
  /** Undefined for one who was added. */
  readonly before: Account | undefined;
}

/** The last import. */
export interface KeptUsers {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly users: readonly UndoneUser[];
}

/** The file is not what was written. */
export class UserUndoError extends Error {
  override name = "UserUndoError";
}

const FORM = "postern-users-undo 1";

/** The undo file of one state file. */
export class UserUndo {
  readonly #path: string;

  /** @param state the state file's path */
  constructor(state: string) {
    this.#path = `${state}-users-undo`;
  }

  /** Keeps what an import is going to change. @throws {Error} when it cannot be written */
  keep(after: readonly Account[], before: readonly Account[], at: number): void {
    const known = new Map(before.map((account) => [account.name, account]));
    this.replace(
      after.map(({ name, password }) => ({ name, after: password, before: known.get(name) })),
      at,
    );
  }

  /** Keeps these users alone; of none there is no file. */
  replace(users: readonly UndoneUser[], at: number): void {
    if (users.length === 0) return this.#remove();
    const unfinished = `${this.#path}.new`;
    this.#remove(unfinished);
    {
      using file = Deno.openSync(unfinished, { write: true, createNew: true, mode: 0o600 });
      const text = JSON.stringify({ form: FORM, at, users }, write);
      let octets = new TextEncoder().encode(text);
      while (octets.length > 0) octets = octets.subarray(file.writeSync(octets));
      file.syncSync();
    }
    Deno.renameSync(unfinished, this.#path);
    syncFolder(dirname(this.#path));
  }

  /**
   * Reads it.
   *
   * @returns undefined when there is none
   * @throws {UserUndoError} when it cannot be used
   */
  read(): KeptUsers | undefined {
    let text: string;
    try {
      text = Deno.readTextFileSync(this.#path);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    try {
      const { form, at, users } = JSON.parse(text, read) as KeptUsers & { form?: string };
      if (form === FORM && Array.isArray(users) && typeof at === "number") return { at, users };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw new UserUndoError(`${this.#path} is damaged, so that nothing can be put back from it`);
  }

  #remove(path = this.#path): void {
    try {
      Deno.removeSync(path);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** Octets are written as base64. */
function write(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? { octets: value.toBase64() } : value;
}

function read(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("octets" in value)) return value;
  return Uint8Array.fromBase64(String(value.octets));
}
