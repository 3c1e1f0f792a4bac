/** All bans of the server, of users' and administrators' logins, as administrators see and change them. */

import type { BanInfo, BanManagement, BanOutcome } from "../contracts/management.ts";
import { canonicalAddress } from "../net/networks.ts";
import { canonicalName, type NameRules } from "../bytes/canonical_name.ts";
import { refuseUserName } from "../bytes/user_name.ts";
import type { LoginGuard } from "../auth/login_guard.ts";

/** What bans are managed with. */
export interface BansOptions {
  readonly users: LoginGuard;
  readonly administrators: LoginGuard;
  /** How users' names are read now. */
  readonly names: () => NameRules;
  /** Told when bans have changed. */
  readonly changed: () => void;
}

/** Manages bans. */
export class Bans implements BanManagement {
  readonly #options: BansOptions;

  constructor(options: BansOptions) {
    this.#options = options;
  }

  list(): BanInfo[] {
    const { users, administrators } = this.#options;
    // What was ordered for an address holds for both.
    const failed = administrators.bans().filter(({ failures }) => failures > 0);
    return [...users.bans(), ...failed]
      .sort((one, other) => one.since - other.since)
      .map(({ kind, target: subject, until, failures }) => ({ kind, subject, until, failures }));
  }

  order(subject: string, seconds: number | undefined): BanOutcome {
    const { users, administrators, changed } = this.#options;
    const kind = /[:/]/.test(subject) || /^[\d.]+$/.test(subject) ? "address" : "user";
    const target = kind === "address" ? subject : this.#userName(subject);
    if (kind === "user") {
      const reason = refuseUserName(target);
      if (reason !== undefined) {
        return { kind: "invalid", reason: `no user has this name: ${reason}` };
      }
    }
    try {
      const ban = users.order({ kind, target }, seconds);
      if (kind === "address") administrators.order({ kind, target }, seconds);
      changed();
      return { kind: "banned", subject: ban.target, until: ban.until };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return { kind: "invalid", reason: error.message };
    }
  }

  lift(subject: string): boolean {
    const { users, administrators, changed } = this.#options;
    // Each, since a subject without @ may be a user of the default domain as well as an address.
    const names = new Set([subject, this.#userName(subject), canonicalAddress(subject) ?? subject]);
    const lifted = [...names].flatMap((name) =>
      [users, administrators].map((each) => each.lift(name))
    );
    changed();
    return lifted.includes(true);
  }

  #userName(subject: string): string {
    return canonicalName(subject, this.#options.names());
  }
}
