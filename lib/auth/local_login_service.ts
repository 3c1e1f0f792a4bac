/** The login service over what this thread keeps: users, locks, addresses, settings and observers. */

import { type Clock, systemClock } from "../async/clock.ts";
import type { Observer, ServerEvent } from "../contracts/event.ts";
import type { SessionSettings, Settings } from "../contracts/settings.ts";
import type {
  Credentials,
  Lease,
  LoginOutcome,
  LoginService,
  ScramParameters,
  SessionIdentity,
} from "../contracts/login_service.ts";
import { canonicalName } from "../bytes/canonical_name.ts";
import { type Locks, LocksUnavailableError } from "../contracts/locks.ts";
import {
  type UserDirectory,
  UserDirectoryError,
  type Verified,
} from "../contracts/user_directory.ts";
import { refuseUserName } from "../bytes/user_name.ts";
import { logger } from "../log/logging.ts";
import { AddressCounts } from "./address_counts.ts";
import type { LoginGuard } from "./login_guard.ts";
import { LoginTimes } from "./login_times.ts";

const log = logger("auth");

/** How long, in milliseconds, a login waits for the user's last session to end: a client's next session may be quicker than our end of its last. */
const LOCK_WAIT_MS = 500;

/** What the login service works with. */
export interface LocalLoginServiceOptions {
  readonly settings: () => Settings;
  readonly directory: UserDirectory;
  readonly locks: Locks;
  readonly guard: LoginGuard;
  readonly observe: Observer;
  /** Whether the directory can check bearer tokens. */
  readonly bearer: boolean;
  /** Told after each login attempt: bans and users' keys may have changed. */
  readonly attempted?: () => void;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/** Keeps the login service of one machine. */
export class LocalLoginService implements LoginService {
  readonly #options: LocalLoginServiceOptions;
  readonly #clock: Clock;
  readonly #addresses = new AddressCounts();
  readonly #loginTimes: LoginTimes;

  constructor(options: LocalLoginServiceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#loginTimes = new LoginTimes(this.#clock);
  }

  get settings(): SessionSettings {
    return this.#options.settings();
  }

  get scramForAll(): boolean {
    return this.#options.directory.scramForAll;
  }

  get bearer(): boolean {
    return this.#options.bearer;
  }

  admit({ session, address }: SessionIdentity): Promise<"banned" | "too-many" | undefined> {
    const most = this.#options.settings().maxConnectionsPerIp;
    const refusal = this.#options.guard.banned(address)
      ? "banned"
      : most > 0 && this.#addresses.count(address) > most
      ? "too-many"
      : undefined;
    // One that is turned away takes no place while it is told so.
    if (refusal !== undefined) this.#addresses.leave(session);
    return Promise.resolve(refusal);
  }

  scramParameters(user: string): Promise<ScramParameters> {
    return this.#options.directory.scramParameters(user);
  }

  async login(identity: SessionIdentity, credentials: Credentials): Promise<LoginOutcome> {
    let outcome;
    try {
      outcome = await this.#verify(identity, credentials);
    } catch (error) {
      if (!(error instanceof UserDirectoryError)) throw error;
      log.error("Logins cannot be checked: {error}", { error });
      return this.#refuse(identity, credentials, { kind: "refused", reason: "unavailable" });
    }
    if (typeof outcome === "number") {
      return this.#refuse(identity, credentials, {
        kind: "refused",
        reason: "credentials",
        delay: outcome,
      });
    }
    const verified = outcome;
    const wait = this.#loginTimes.wait(verified.user, this.settings.loginDelay);
    if (wait > 0) {
      return this.#refuse(identity, credentials, {
        kind: "refused",
        reason: "login-delay",
        seconds: wait,
      });
    }
    const lease = await this.#lock(verified.user, identity.session);
    if (typeof lease === "string") {
      return this.#refuse(identity, credentials, { kind: "refused", reason: lease });
    }
    this.#loginTimes.note(verified.user, this.settings.loginDelay);
    const { serverSignature } = verified;
    return {
      kind: "granted",
      user: verified.user,
      lease,
      ...(serverSignature && { serverSignature }),
    };
  }

  observe(event: ServerEvent): void {
    if (event.type === "connected") this.#addresses.enter(event.session, event.address);
    else if (event.type === "disconnected") this.#addresses.leave(event.session);
    this.#options.observe(event);
  }

  /**
   * Checks credentials; a name that can be nobody's costs the same as any other.
   *
   * @returns who they prove, or the milliseconds that the refusal must wait
   */
  async #verify(
    { address }: SessionIdentity,
    credentials: Credentials,
  ): Promise<Verified | number> {
    const { attempted, directory, guard } = this.#options;
    const counted = this.#countedName(credentials.user);
    const outcome = await guard.inTurn(address, async () => {
      const verified = await directory.verify(credentials);
      // Asked behind the same work: who is shut out must not learn it by the clock, and what failed meanwhile counts.
      const refused = guard.refuses(address, counted);
      if (refused || verified === undefined || refuseUserName(verified.user) !== undefined) {
        return guard.failed(address, counted, credentials);
      }
      guard.succeeded(address, verified.user);
      return verified;
    });
    attempted?.();
    return outcome;
  }

  /**
   * The name that the guard counts a login under: one for a user, with the default domain and without. None for what can be
   * nobody's name, so that an administrator's (`admin/root`) is out of reach.
   */
  #countedName(said: string | undefined): string | undefined {
    if (said === undefined) return undefined;
    const name = canonicalName(said, this.#options.settings().defaultDomain);
    return refuseUserName(name) === undefined ? name : undefined;
  }

  async #lock(user: string, session: string): Promise<Lease | "in-use" | "unavailable"> {
    const { locks, settings } = this.#options;
    const sessions = settings().maxSessionsPerUser;
    try {
      return await locks.take(user, session, { sessions, wait: LOCK_WAIT_MS }) ?? "in-use";
    } catch (error) {
      if (!(error instanceof LocksUnavailableError)) throw error;
      log.error("The lock of {user} cannot be taken: {error}", { user, error });
      return "unavailable";
    }
  }

  #refuse(
    identity: SessionIdentity,
    credentials: Credentials,
    outcome: Extract<LoginOutcome, { kind: "refused" }>,
  ): LoginOutcome {
    this.observe({
      type: "login-refused",
      session: identity.session,
      at: this.#clock.wall(),
      address: identity.address,
      user: credentials.user ?? "",
      mechanism: credentials.mechanism,
      reason: outcome.reason,
    });
    return outcome;
  }
}
