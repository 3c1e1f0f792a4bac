/** The login service over what this thread keeps: users, locks, settings and observers. */

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
import { splitFolder } from "../bytes/folder_name.ts";
import { withoutFolder } from "./folder_login.ts";
import { refuseUserName } from "../bytes/user_name.ts";
import { addressGroup } from "../net/networks.ts";
import { logger } from "../log/logging.ts";
import { type Attempt, type LoginGuard, NotCheckedError } from "./login_guard.ts";
import { LoginTimes, type LoginTimeStore } from "./login_times.ts";
import {
  StateStoreError,
  type StateTrouble,
  type UserFieldStore,
} from "../contracts/state_store.ts";
import { type KnownUser, knownUser } from "./user_fields.ts";

const log = logger("auth");

/** Milliseconds of waiting that are worth telling of. */
const LEAST_WAIT_MS = 1;
const NO_FIELDS: ReadonlyMap<string, string> = new Map();
/** How long, in milliseconds, a login waits for the user's last session to end: a client's next session may be quicker than our end of its last. */
const LOCK_WAIT_MS = 500;

/** What the login service works with. */
export interface LocalLoginServiceOptions {
  readonly settings: () => Settings;
  readonly directory: UserDirectory;
  readonly locks: Locks;
  readonly guard: LoginGuard;
  readonly observe: Observer;
  /** What the state knows of users besides their secrets. */
  readonly fields?: Pick<UserFieldStore, "find">;
  /** Whether the directory can check bearer tokens. */
  readonly bearer: boolean;
  /** Where the times of logins outlive the process. */
  readonly loginTimes?: LoginTimeStore;
  /** Told after each login attempt: bans and users' keys may have changed. */
  readonly attempted?: () => void;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/** Keeps the login service of one machine. */
export class LocalLoginService implements LoginService {
  readonly #options: LocalLoginServiceOptions;
  readonly #clock: Clock;
  readonly #loginTimes: LoginTimes;
  /** Whether the last login could not be checked. */
  #failing = false;
  #locksFail = false;

  constructor(options: LocalLoginServiceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#loginTimes = new LoginTimes(this.#clock, options.loginTimes);
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

  admit({ address }: SessionIdentity): Promise<"banned" | undefined> {
    return Promise.resolve(this.#options.guard.banned(address) ? "banned" : undefined);
  }

  async scramParameters(user: string): Promise<ScramParameters | undefined> {
    try {
      const { user: name } = splitFolder(user, this.#options.settings().folderSeparator);
      return await this.#options.directory.scramParameters(name);
    } catch (error) {
      if (!(error instanceof UserDirectoryError)) throw error;
      this.#uncheckable(error);
      return undefined;
    }
  }

  async login(
    identity: SessionIdentity,
    credentials: Credentials,
    gone?: AbortSignal,
  ): Promise<LoginOutcome> {
    const waits = { sum: 0 };
    const outcome = await this.#login(identity, credentials, gone, waits);
    return waits.sum < LEAST_WAIT_MS ? outcome : { ...outcome, waited: waits.sum };
  }

  async #login(
    identity: SessionIdentity,
    credentials: Credentials,
    gone: AbortSignal | undefined,
    waits: Waits,
  ): Promise<LoginOutcome> {
    const { folderSeparator } = this.#options.settings();
    const { folder, own } = withoutFolder(credentials, folderSeparator);
    const checked = await this.#check(identity, own, gone, waits);
    if (checked.kind === "refused") {
      const { reason, delay } = checked;
      return this.#refuse(identity, credentials, {
        kind: "refused",
        // Neither a ban nor a disabled user is told from a wrong password.
        reason: reason === "unavailable" ? reason : "credentials",
        delay,
      }, reason);
    }
    const { verified } = checked;
    const wait = await this.#delayOf(verified.user);
    if (wait === "unavailable") {
      return this.#refuse(identity, credentials, { kind: "refused", reason: wait });
    }
    if (wait > 0) {
      return this.#refuse(identity, credentials, {
        kind: "refused",
        reason: "login-delay",
        seconds: wait,
      });
    }
    const asked = this.#clock.monotonic();
    // A folder has a lock of its own; no user's name holds a slash.
    const locked = folder === undefined ? verified.user : `${verified.user}/${folder}`;
    const lease = await this.#lock(locked, identity, credentials.mechanism);
    waits.sum += this.#clock.monotonic() - asked;
    if (typeof lease === "string") {
      return this.#refuse(identity, credentials, { kind: "refused", reason: lease });
    }
    await this.#loginTimes.note(verified.user, this.settings.loginDelay);
    await this.#noteUse(verified, identity);
    const { appPassword, serverSignature } = verified;
    const record = folder === undefined ? verified.record : { ...verified.record, folder };
    return {
      kind: "granted",
      user: verified.user,
      lease,
      ...(record !== undefined && { record }),
      ...(appPassword?.readOnly && { readOnly: true }),
      ...(serverSignature && { serverSignature }),
    };
  }

  observe(event: ServerEvent): void {
    this.#options.observe(event);
  }

  /** Checks credentials; a name that can be nobody's costs the same as any other. Every login counts that is not found right. */
  async #check(
    { address, tls }: SessionIdentity,
    credentials: Credentials,
    gone: AbortSignal | undefined,
    waits: Waits,
  ): Promise<Checked> {
    const { attempted, directory, guard } = this.#options;
    const user = this.#countedName(credentials.user);
    const refused = (reason: Refused["reason"]): Refused => {
      const login = { address, user, credentials, unchecked: reason === "unavailable" };
      return { kind: "refused", reason, delay: guard.failed(login) };
    };
    const asked = this.#clock.monotonic();
    const check = async (): Promise<Attempt<Checked>> => {
      waits.sum += this.#clock.monotonic() - asked;
      const verified = await directory.verify(credentials, {
        from: addressGroup(address),
        address,
        tls: tls !== undefined,
      });
      this.#checkable();
      // Asked behind the same work: who is shut out must not learn it by the clock, and what failed meanwhile counts.
      if (guard.refuses(address, user)) return { outcome: refused("banned"), failed: true };
      if (verified === undefined || refuseUserName(verified.user) !== undefined) {
        return { outcome: refused("credentials"), failed: true };
      }
      const known = await this.#known(verified);
      if (known.disabled) return { outcome: refused("disabled"), failed: true };
      guard.succeeded(address, verified.user);
      const { record } = known;
      const right = record === undefined ? verified : { ...verified, record };
      return { outcome: { kind: "right", verified: right }, failed: false };
    };
    try {
      return await guard.inTurn(address, gone, check);
    } catch (error) {
      if (error instanceof NotCheckedError) {
        return { ...refused("credentials"), reason: "unavailable" };
      }
      if (!(error instanceof UserDirectoryError)) throw error;
      this.#uncheckable(error);
      // While a database is away, nothing that is said decides the answer: there is nobody to slow.
      return isAway(error)
        ? { kind: "refused", reason: "unavailable", delay: 0 }
        : refused("unavailable");
    } finally {
      attempted?.();
    }
  }

  async #known(verified: Verified): Promise<KnownUser> {
    const fields = await this.#options.fields?.find(verified.user);
    const known = knownUser(fields ?? NO_FIELDS, verified.record);
    return verified.disabled === true ? { ...known, disabled: true } : known;
  }

  /** Says once that nobody can log in, and that they can again: there may be thousands who try meanwhile. */
  #uncheckable(error: UserDirectoryError): void {
    if (!this.#failing) log.error("Logins cannot be checked: {error}", { error });
    this.#failing = true;
  }

  #checkable(): void {
    if (this.#failing) log.info("Logins can be checked again");
    this.#failing = false;
  }

  /**
   * The name that the guard counts a login under: one for a user, with the default domain and without. None for what can be
   * nobody's name, so that an administrator's (`admin/root`) is out of reach.
   */
  #countedName(said: string | undefined): string | undefined {
    if (said === undefined) return undefined;
    const name = canonicalName(said, this.#options.settings());
    return refuseUserName(name) === undefined ? name : undefined;
  }

  /** An app password's last use is no reason to refuse a login. */
  async #noteUse(verified: Verified, { address }: SessionIdentity): Promise<void> {
    if (verified.appPassword === undefined) return;
    try {
      await this.#options.directory.used?.(verified, { at: this.#clock.wall(), address });
    } catch (error) {
      log.warn("The use of an app password of {user} cannot be noted: {error}", {
        user: verified.user,
        error,
      });
    }
  }

  /** How many seconds a user must wait who has the right credentials. */
  async #delayOf(user: string): Promise<number | "unavailable"> {
    try {
      return await this.#loginTimes.wait(user, this.settings.loginDelay);
    } catch (error) {
      if (!(error instanceof StateStoreError)) throw error;
      log.error("The last login of {user} cannot be looked up: {error}", { user, error });
      return "unavailable";
    }
  }

  async #lock(
    user: string,
    { session, address, tls }: SessionIdentity,
    mechanism: string,
  ): Promise<Lease | "in-use" | "unavailable"> {
    const { locks, settings } = this.#options;
    const sessions = settings().maxSessionsPerUser;
    try {
      const client = { address, tls, mechanism };
      const lease = await locks.take(user, session, { sessions, wait: LOCK_WAIT_MS, client });
      this.#locksFail = false;
      return lease ?? "in-use";
    } catch (error) {
      if (!(error instanceof LocksUnavailableError)) throw error;
      if (!this.#locksFail) log.error("Locks of maildrops cannot be taken: {error}", { error });
      this.#locksFail = true;
      return "unavailable";
    }
  }

  #refuse(
    identity: SessionIdentity,
    credentials: Credentials,
    outcome: Extract<LoginOutcome, { kind: "refused" }>,
    reason: (ServerEvent & { type: "login-refused" })["reason"] = outcome.reason,
  ): LoginOutcome {
    this.observe({
      type: "login-refused",
      session: identity.session,
      at: this.#clock.wall(),
      address: identity.address,
      user: credentials.user ?? "",
      mechanism: credentials.mechanism,
      reason,
    });
    return outcome;
  }
}

/** Troubles of a database that has not looked at what was asked. */
const AWAY: readonly StateTrouble[] = ["unreachable", "read-only", "busy"];
function isAway({ cause }: UserDirectoryError): boolean {
  return cause instanceof StateStoreError && AWAY.includes(cause.trouble);
}

/** Milliseconds that a login waited for others, and nobody worked for it. */
interface Waits {
  sum: number;
}

/** How checking credentials ended. */
type Checked = { readonly kind: "right"; readonly verified: Verified } | Refused;

interface Refused {
  readonly kind: "refused";
  readonly reason: "credentials" | "banned" | "disabled" | "unavailable";
  /** Milliseconds that the answer must wait. */
  readonly delay: number;
}
