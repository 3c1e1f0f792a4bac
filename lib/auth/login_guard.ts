/** Slows those who guess: the brute-force guard in the words of logins, once for POP3 and once for management. */

import { type Clock, systemClock } from "../async/clock.ts";
import type { AddressPolicy, Ban, SharedFailure } from "../contracts/ban.ts";
import { BruteForceGuard } from "./guard/brute_force_guard.ts";
import type { BruteForceGuardOptions } from "./guard/guard_options.ts";
import type { BanTarget } from "./guard/ordered_bans.ts";
import { logger } from "../log/logging.ts";
import { type ClientNetworks, clientNetworks, isLoopback, NetworkList } from "../net/networks.ts";
import type { Settings } from "../contracts/settings.ts";
import { Semaphore } from "../async/semaphore.ts";
import type { Credentials } from "../contracts/login_service.ts";

const log = logger("guard");

/** Whose logins a guard watches. They are counted apart: who guesses at users must not shut administrators out. */
export type GuardedLogins = "users" | "administrators";

/** The settings that a guard goes by. */
export type GuardSettings = Pick<
  Settings,
  "authDelay" | "authDelayMax" | "banFailures" | "banWindow" | "banTime" | "trustedNetworks"
>;

/** Addresses that are kept in memory; when there are more, all are forgotten. */
const MOST_ADDRESSES = 10_000;

/** Logins of one address that are checked at once: as many as may fail before it is banned, by default. */
const MOST_AT_ONCE = 20;
/** Logins of one address that may wait behind them; further ones are not checked. */
const MOST_WAITING = 500;

/** Milliseconds between two checks at an address that cannot be banned and failed too often. */
const SLOW_MS = 1000;

/** What is known of an address. */
interface AddressFacts {
  readonly networks: ClientNetworks;
  readonly policy: AddressPolicy;
}

/** How a login that had its turn went. */
export interface Attempt<T> {
  readonly outcome: T;
  /** Whether the credentials were wrong. */
  readonly failed: boolean;
}

/** What a failed login is counted as. */
export interface FailedLogin {
  readonly address: string;
  /** The name under which it counts; undefined where it counts for the address alone. */
  readonly user: string | undefined;
  readonly credentials: Credentials;
  /** Whether it could not be found out if the credentials were right. */
  readonly unchecked?: boolean;
}

/** A login that was not checked: its client left while it waited, or too many waited. It counts like one that failed. */
export class NotCheckedError extends Error {
  override readonly name = "NotCheckedError";
}

/** Slows those who guess, and shuts them out for a while. */
export class LoginGuard {
  readonly #logins: GuardedLogins;
  readonly #guard: BruteForceGuard;
  readonly #settings: () => GuardSettings;
  readonly #trusted: NetworkList;
  /** By network; only of those whose logins are being checked. */
  readonly #turns = new Map<string, Semaphore>();
  readonly #addresses = new Map<string, AddressFacts>();

  /**
   * @param settings in force now
   * @param told who hears of bans and failures, and the key of their marks
   */
  constructor(
    settings: () => GuardSettings,
    logins: GuardedLogins = "users",
    clock: Clock = systemClock,
    told: Pick<BruteForceGuardOptions, "changed" | "counted" | "key"> = {},
  ) {
    this.#logins = logins;
    this.#settings = settings;
    this.#trusted = new NetworkList(settings().trustedNetworks);
    this.#guard = new BruteForceGuard({
      networksOf: (address) => this.#facts(address).networks,
      policyOf: (address) => this.#facts(address).policy,
      delays: () => ({
        first: settings().authDelay * 1000,
        longest: settings().authDelayMax * 1000,
      }),
      limits: () => ({
        failures: settings().banFailures,
        window: settings().banWindow * 1000,
        banTime: settings().banTime * 1000,
      }),
      clock,
      ...told,
    });
  }

  /** Counts a failure that another server has seen, so many milliseconds ago. */
  learn(failure: SharedFailure, ago: number): void {
    this.#guard.learn(failure, ago);
  }

  /** Takes bans that another run, or another machine, knows in place of those that are known here. */
  restore(bans: Parameters<BruteForceGuard["restore"]>[0]): void {
    this.#guard.restore(bans);
  }

  /** Whether anybody is banned, so that greetings must be asked for. */
  get active(): boolean {
    return this.#guard.active;
  }

  /** Whether an address may not even greet. */
  banned(address: string): boolean {
    return this.#guard.banned(address);
  }

  /** Whether a login must be refused like a wrong one, whatever its credentials are. */
  refuses(address: string, user: string | undefined): boolean {
    return this.#guard.refuses(address, user);
  }

  /**
   * Checks a login and notes what came of it, when its turn has come: without turns, guesses on very many connections would all
   * be checked before the first of them counts, and a right one among them, which is known sooner, would be let in.
   *
   * @param gone aborted when the client leaves
   * @throws {NotCheckedError} when the client left before its turn came, or too many wait
   */
  async inTurn<T>(
    address: string,
    gone: AbortSignal | undefined,
    attempt: () => Promise<Attempt<T>>,
  ): Promise<T> {
    const { own } = this.#facts(address).networks;
    const turns = this.#turns.get(own) ?? new Semaphore(MOST_AT_ONCE);
    this.#turns.set(own, turns);
    const slow = this.#guard.exhausted(address);
    turns.limit = slow ? 1 : MOST_AT_ONCE;
    let failed = false;
    const turn = await this.#enter(turns, gone);
    const leave = (): void => {
      turn[Symbol.dispose]();
      if (turns.running === 0 && turns.waiting === 0) this.#turns.delete(own);
    };
    try {
      const { outcome, ...how } = await attempt();
      failed = how.failed;
      return outcome;
    } finally {
      if (failed && slow) Deno.unrefTimer(setTimeout(leave, SLOW_MS));
      else leave();
    }
  }

  async #enter(turns: Semaphore, gone: AbortSignal | undefined): Promise<Disposable> {
    if (turns.waiting >= MOST_WAITING) {
      throw new NotCheckedError(`${MOST_WAITING} logins of one address wait already`);
    }
    try {
      return await turns.enter(gone);
    } catch (cause) {
      throw new NotCheckedError("The client left before its login was checked", { cause });
    }
  }

  /**
   * Notes a failure.
   *
   * @returns milliseconds that its answer must wait
   */
  failed({ address, user, credentials, unchecked = false }: FailedLogin): number {
    const secret = secretOf(credentials);
    const { delay, begun } = this.#guard.failed({
      address,
      unchecked,
      ...(user !== undefined && { user }),
      ...(secret !== undefined && { secret }),
    });
    for (const ban of begun) this.#tell(ban);
    return delay;
  }

  /** Notes a good login. */
  succeeded(address: string, user: string): void {
    this.#guard.succeeded(address, user);
  }

  /** The bans in force, oldest first. */
  bans(): readonly Ban[] {
    return this.#guard.bans();
  }

  /**
   * Bans by an administrator's order.
   *
   * @param seconds the setting `ban_time`, or 900 where that is 0, unless given
   * @throws {SyntaxError} when the target of kind `address` is neither an address nor a network
   */
  order(target: BanTarget, seconds: number = this.#settings().banTime || 900): Ban {
    return this.#guard.order(target, seconds * 1000);
  }

  /** Ends the bans of an address, network or user. Returns whether there was anything to end. */
  lift(target: string): boolean {
    return this.#guard.lift(target);
  }

  #tell({ kind, target, until, failures }: Ban): void {
    const way = kind === "address" && isLoopback(target)
      ? "; users who were not there lately are refused until then (see --trusted-networks)"
      : "";
    log.warn(
      `Banned until {until} after {failures} failed logins of {logins}: {kind} {target}${way}`,
      { until: new Date(until).toISOString(), failures, logins: this.#logins, kind, target },
    );
  }

  /** Reading an address would else be a tenth of a login's cost. */
  #facts(address: string): AddressFacts {
    let facts = this.#addresses.get(address);
    if (facts === undefined) {
      facts = { networks: clientNetworks(address), policy: this.#policyOf(address) };
      if (this.#addresses.size >= MOST_ADDRESSES) this.#addresses.clear();
      this.#addresses.set(address, facts);
    }
    return facts;
  }

  #policyOf(address: string): AddressPolicy {
    const loopback = isLoopback(address);
    if (this.#logins === "administrators") {
      return loopback || this.#trusted.holds(address) ? "slow" : "ban";
    }
    if (this.#trusted.holds(address)) return "ban-users";
    return loopback ? "ban-strangers" : "ban";
  }
}

/** What was tried, where it can be seen: the same again counts once. */
function secretOf(credentials: Credentials): string | undefined {
  switch (credentials.kind) {
    case "password":
      return credentials.password;
    case "bearer":
      return credentials.token;
    case "apop":
    case "scram":
      return undefined;
  }
}
