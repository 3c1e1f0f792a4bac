/** Administrators: their logins, and how they manage each other. */

import type {
  AddOutcome,
  AdministratorAttempt,
  AdministratorLogin,
  AdministratorManagement,
} from "../contracts/management.ts";
import { logger } from "../log/logging.ts";
import { logRejected } from "../log/rejected_login.ts";
import type { Credentials } from "../contracts/login_service.ts";
import { UserDirectoryError } from "../contracts/user_directory.ts";
import { COMMAND_LINE_OCTETS } from "../wire/limits.ts";
import type { AccountFamily } from "../auth/accounts.ts";
import { type Attempt, type LoginGuard, NotCheckedError } from "../auth/login_guard.ts";
import { ADMINISTERED_NAME_OCTETS } from "./names.ts";

const log = logger("msmp");

/** What a line holds before login; users have other ways to log in than PASS, administrators have none. */
const LONGEST_PASSWORD_OCTETS = COMMAND_LINE_OCTETS - "PASS \r\n".length;

/** What administrators are managed with. */
export interface AdministratorManagementOptions {
  readonly accounts: AccountFamily;
  readonly guard: Pick<LoginGuard, "banned" | "refuses" | "inTurn" | "failed" | "succeeded">;
  /** Told after each login attempt: bans may have changed. */
  readonly attempted: () => void;
}

/** Manages administrators over their register. */
export class RegisteredAdministrators implements AdministratorManagement {
  readonly #options: AdministratorManagementOptions;

  constructor(options: AdministratorManagementOptions) {
    this.#options = options;
  }

  banned(address: string): boolean {
    return this.#options.guard.banned(address);
  }

  async verify(
    { name, password, address }: AdministratorAttempt,
    gone: AbortSignal,
  ): Promise<AdministratorLogin> {
    const { accounts, guard, attempted } = this.#options;
    const credentials: Credentials = { kind: "password", mechanism: "USER", user: name, password };
    // As it stands in the log, in BANS and for UNBAN: no user's name has a slash.
    const login = { address, user: `admin/${name}`, credentials };
    const refuse = (unchecked: boolean): AdministratorLogin => {
      const reason = unchecked ? "unavailable" : "credentials";
      logRejected({ user: login.user, address, reason });
      const delay = guard.failed({ ...login, unchecked });
      return { kind: unchecked ? "unavailable" : "refused", delay };
    };
    const check = async (): Promise<Attempt<AdministratorLogin>> => {
      const verified = await accounts.directory.verify(credentials);
      // Asked behind the same work, as at POP3's logins.
      if (verified === undefined || guard.refuses(address, login.user)) {
        return { outcome: refuse(false), failed: true };
      }
      guard.succeeded(address, login.user);
      return { outcome: { kind: "granted", administrator: verified.user }, failed: false };
    };
    try {
      return await guard.inTurn(address, gone, check);
    } catch (error) {
      if (error instanceof NotCheckedError) return refuse(false);
      if (!(error instanceof UserDirectoryError)) throw error;
      log.error("Cannot check administrator logins: {error}", { error });
      return refuse(true);
    } finally {
      attempted();
    }
  }

  async add(name: string, password: string): Promise<AddOutcome> {
    if (new TextEncoder().encode(password).length > LONGEST_PASSWORD_OCTETS) {
      const reason = `it is longer than the ${LONGEST_PASSWORD_OCTETS} octets that PASS can say`;
      return { kind: "unsafe-password", reason };
    }
    return await this.#options.accounts.register.set(name, password, {
      origin: "msmp",
      maxOctets: ADMINISTERED_NAME_OCTETS,
    });
  }

  async delete(name: string): Promise<"deleted" | "absent" | "last"> {
    const { kind } = await this.#options.accounts.register.delete(name, { keepLast: true });
    // Administrators are in no file.
    return kind === "in-file" ? "absent" : kind;
  }

  list(): AsyncIterable<string> {
    return this.#options.accounts.register.list();
  }
}
