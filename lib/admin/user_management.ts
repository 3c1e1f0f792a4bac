/** Users and their app passwords, as administrators manage them. */

import type { ListedAppPassword } from "../contracts/account_store.ts";
import type { AppPasswordTerms } from "../contracts/user_source.ts";
import type { MailStore } from "../contracts/mail_store.ts";
import {
  type AccessInfo,
  type AddKeyOutcome,
  type AddUserOutcome,
  type DeleteUserOutcome,
  type KeyManagement,
  ManagementError,
  type UserChangeOutcome,
  type UserManagement,
} from "../contracts/management.ts";
import { logger } from "../log/logging.ts";
import type { AccessLog } from "../contracts/record_store.ts";
import type { AccountRegister } from "../auth/account_register.ts";
import { type Locks, LocksUnavailableError } from "../contracts/locks.ts";
import { refuseUserName } from "../bytes/user_name.ts";
import type { UserFieldStore } from "../contracts/state_store.ts";
import type { UserRecords } from "../auth/user_records.ts";
import { DISABLED_FIELD, readUserField, USER_FIELDS } from "../auth/user_fields.ts";
import { ADMINISTERED_NAME_OCTETS } from "./names.ts";

const log = logger("management");

/** How long, in milliseconds, the end of a session may take to get around. */
const LOCK_WAIT_MS = 50;
/** Who holds a user's lock while the user is deleted: no session has this name. */
const DELETING = "*delete";

/** What users are managed with. */
export interface UserManagementOptions {
  readonly register: AccountRegister;
  readonly locks: Pick<Locks, "take">;
  readonly accesses: Pick<AccessLog, "count" | "list">;
  readonly fields: UserFieldStore;
  readonly records: Pick<UserRecords, "of">;
  /** The store of the settings in force, for making mailboxes. */
  readonly store: () => Pick<MailStore, "create">;
  /** `max_users`; 0 is no limit. */
  readonly limit: () => number;
  /** Told when secrets have changed, for sessions offer what every user can use. */
  readonly changed: () => void;
}

/** Manages users over the register. */
export class RegisteredUsers implements UserManagement {
  readonly #options: UserManagementOptions;

  constructor(options: UserManagementOptions) {
    this.#options = options;
  }

  async add(name: string, password: string): Promise<AddUserOutcome> {
    const { register, limit, changed } = this.#options;
    const most = limit();
    const outcome = await register.set(name, password, {
      origin: "msmp",
      maxOctets: ADMINISTERED_NAME_OCTETS,
      ...(most > 0 && { limit: most }),
    });
    const trouble = outcome.kind === "added" ? await this.#makeMailbox(outcome.name) : undefined;
    if ("name" in outcome) changed();
    return trouble === undefined ? outcome : { ...outcome, trouble };
  }

  async delete(name: string): Promise<DeleteUserOutcome> {
    const { register, changed } = this.#options;
    const kept = register.canonical(name);
    // Whoever has just quit may be here before the word of it.
    const options = { sessions: 1, wait: LOCK_WAIT_MS };
    await using lease = await this.#options.locks.take(kept, DELETING, options).catch(
      (error) => {
        if (!(error instanceof LocksUnavailableError)) throw error;
        throw new ManagementError(error.message, { cause: error });
      },
    );
    if (lease === undefined && await register.has(kept)) return { kind: "logged-in" };
    const outcome = await register.delete(kept);
    switch (outcome.kind) {
      case "deleted":
        await this.#options.fields.forget(kept);
        changed();
        return { ...outcome, name: kept };
      case "in-file":
        return outcome;
      case "absent":
      case "last":
        return { kind: "absent" };
    }
  }

  async enable(name: string, enabled: boolean): Promise<UserChangeOutcome> {
    return await this.#change(name, DISABLED_FIELD, enabled ? undefined : "yes");
  }

  async setField(
    name: string,
    field: string,
    value: string | undefined,
  ): Promise<UserChangeOutcome> {
    try {
      if (value !== undefined) readUserField(field, value);
      else if (!USER_FIELDS.includes(field)) readUserField(field, "");
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return { kind: "invalid", reason: error.message };
    }
    return await this.#change(name, field, value);
  }

  async fields(name: string): Promise<ReadonlyMap<string, string> | undefined> {
    const { fields, register } = this.#options;
    return await register.has(name) ? await fields.find(register.canonical(name)) : undefined;
  }

  async #change(
    given: string,
    field: string,
    value: string | undefined,
  ): Promise<UserChangeOutcome> {
    const { fields, register } = this.#options;
    const name = register.canonical(given);
    // Whom only a hook knows can be kept out, and given a place, too.
    if (refuseUserName(name) !== undefined) return { kind: "absent" };
    const before = (await fields.find(name)).get(field);
    await fields.set(name, field, value);
    return { kind: "changed", name, before };
  }

  list(): AsyncIterable<string> {
    return this.#options.register.list();
  }

  async find(name: string): Promise<string | undefined> {
    const { register } = this.#options;
    return await register.has(name) ? register.canonical(name) : undefined;
  }

  logCount(name: string): Promise<number> {
    return this.#options.accesses.count(name);
  }

  logs(name: string, most: number): Promise<readonly AccessInfo[]> {
    return this.#options.accesses.list(name, most);
  }

  /** Returns why it cannot be made; the first login tries again. */
  async #makeMailbox(user: string): Promise<string | undefined> {
    try {
      const { records, store } = this.#options;
      await store().create(user, await records.of(user));
      return undefined;
    } catch (error) {
      log.warn("Cannot create the mailbox of {user}: {error}", { user, error });
      return error instanceof Error ? error.message : String(error);
    }
  }
}

/** Manages app passwords over the register. */
export class RegisteredKeys implements KeyManagement {
  readonly #register: AccountRegister;

  constructor(register: AccountRegister) {
    this.#register = register;
  }

  async add(user: string, label: string, terms?: AppPasswordTerms): Promise<AddKeyOutcome> {
    const outcome = await this.#register.addKey(user, label, terms);
    return outcome.kind === "added"
      ? { ...outcome, name: this.#register.canonical(user) }
      : outcome;
  }

  delete(user: string, label: string): Promise<boolean> {
    return this.#register.deleteKey(user, label);
  }

  list(user: string): Promise<readonly ListedAppPassword[] | undefined> {
    return this.#register.listKeys(user);
  }
}
