/** Administrators: their logins, and how they manage each other. */

import {
  type AddOutcome,
  type AdministratorLogin,
  type AdministratorManagement,
  ManagementError,
} from "../contracts/management.ts";
import { logger } from "../log/logging.ts";
import type { Credentials } from "../contracts/login_service.ts";
import { UserDirectoryError } from "../contracts/user_directory.ts";
import { COMMAND_LINE_OCTETS } from "../wire/limits.ts";
import type { AccountFamily } from "../auth/accounts.ts";
import type { LoginGuard } from "../auth/login_guard.ts";
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

  async verify(name: string, password: string, address: string): Promise<AdministratorLogin> {
    const { accounts, guard, attempted } = this.#options;
    const given: Credentials = { kind: "password", mechanism: "USER", user: name, password };
    // Of their own kind for the guard: who guesses at users must not shut an administrator out. No user's name has a slash.
    const counted = `admin/${name}`;
    const outcome = await guard.inTurn(address, async (): Promise<AdministratorLogin> => {
      const verified = await accounts.directory.verify(given).catch(unavailable);
      // Asked behind the same work, as at POP3's logins.
      if (verified === undefined || guard.refuses(address, counted)) {
        log.info("The login of the administrator {name} from {address} was refused", {
          name,
          address,
        });
        return { kind: "refused", delay: guard.failed(address, counted, given) };
      }
      guard.succeeded(address, counted);
      return { kind: "granted", administrator: verified.user };
    });
    attempted();
    return outcome;
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

function unavailable(cause: unknown): never {
  if (!(cause instanceof UserDirectoryError)) throw cause;
  throw new ManagementError("Logins cannot be checked now, try again later", { cause });
}
