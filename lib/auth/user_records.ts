/** Users beside their logins: whether there is such a one, and what is known of them; for delivery, sweeps and administrators. */

import type { FoundUser } from "../contracts/user_source.ts";
import type { UserFieldStore } from "../contracts/state_store.ts";
import type { UserRecord } from "../contracts/user_record.ts";
import { type KnownUser, knownUser } from "./user_fields.ts";

/** What records are made from. */
export interface UserRecordsOptions {
  readonly directory: {
    find(name: string): Promise<Pick<FoundUser, "name" | "record" | "disabled"> | undefined>;
  };
  readonly fields: Pick<UserFieldStore, "find">;
}

/** A user who is there. */
export interface RecordedUser extends KnownUser {
  /** The canonical name. */
  readonly name: string;
}

/** Looks users up. */
export class UserRecords {
  readonly #options: UserRecordsOptions;

  constructor(options: UserRecordsOptions) {
    this.#options = options;
  }

  /**
   * Finds a user.
   *
   * @param name as it was written
   * @throws {UserDirectoryError} when it could not be found out
   */
  async find(name: string): Promise<RecordedUser | undefined> {
    const { directory, fields } = this.#options;
    const user = await directory.find(name);
    if (user === undefined) return undefined;
    const known = knownUser(await fields.find(user.name), user.record);
    return { name: user.name, ...known, disabled: known.disabled || user.disabled === true };
  }

  /** What is known of a user; nothing where there is no such one. @param name canonical */
  async of(name: string): Promise<UserRecord | undefined> {
    return (await this.find(name))?.record;
  }
}
