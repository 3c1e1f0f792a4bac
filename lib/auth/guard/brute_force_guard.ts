/** Slows those who guess passwords, and shuts them out for a while: delays, bans, and what they do not touch. */

import { systemClock } from "../../async/clock.ts";
import type {
  AddressPolicy,
  Ban,
  BanLimits,
  FailedAttempt,
  Penalty,
  SharedFailure,
} from "../../contracts/ban.ts";
import { type BanEntry, BanList } from "./ban_list.ts";
import type { BanKind, BruteForceGuardOptions } from "./guard_options.ts";
import { FailureRecord } from "./failure_record.ts";
import { FamiliarAddresses } from "./familiar_addresses.ts";
import { type BanTarget, OrderedBans } from "./ordered_bans.ts";
import { SecretMarks } from "./secret_marks.ts";

/** Characters of a name that are kept; no user's name is longer, but what attackers try may be. */
const MAX_NAME = 128;
/** How many times more failures a /48, or a user's name from everywhere, may have than an address. */
const WIDE = 5;
/** How often the same wrong password may come from an address in a minute before it is no forgetful telephone. */
const REPEATS = 60;
/** Addresses of policy `ban-strangers` where somebody logged in that are remembered. */
const MOST_SHARED = 1000;
/** For how long failures slow where `window` is 0. */
const LEAST_WINDOW_MS = 600_000;

/**
 * Counts failed logins.
 *
 * - A failure is answered after a delay that doubles with each one of the same address, or of the same user. Whoever has
 *   the right password never waits.
 * - An address with too many failures is banned, and by itself free again later.
 * - Towards a ban, the same wrong password for the same user from the same address counts once: a telephone with a stale
 *   password tries for ever and must not lock out its office. When it comes more often than any telephone would, each time counts.
 *   Of what was tried, only a keyed hash is kept.
 * - What could not be checked slows; towards a ban it counts from the second different password of a user on.
 * - A name that is tried from many addresses is banned as well, except from networks where its user logged in lately, so
 *   that attackers cannot shut users out.
 * - A good login takes back what that user failed from that address, and nothing else: an attacker's own account does not
 *   clear his record.
 */
export class BruteForceGuard {
  readonly #options: Required<Omit<BruteForceGuardOptions, "key" | "changed" | "counted">>;
  readonly #marks: SecretMarks;
  readonly #counted: (failure: SharedFailure) => void;
  /** By network, and by user and network where users are counted apart. */
  readonly #addresses: FailureRecord;
  readonly #users: FailureRecord;
  readonly #addressBans: BanList;
  readonly #userBans: BanList;
  /** Of users at one address; apart, since a user's name can read like one of these. */
  readonly #localBans: BanList;
  readonly #ordered: OrderedBans;
  readonly #familiar: FamiliarAddresses;
  readonly #shared = new Set<string>();

  constructor(options: BruteForceGuardOptions) {
    const settings = {
      policyOf: (): AddressPolicy => "ban",
      limits: (): BanLimits => ({ failures: 20, window: 600_000, banTime: 900_000 }),
      capacity: 10_000,
      clock: systemClock,
      ...options,
    };
    this.#options = settings;
    this.#marks = new SecretMarks(options.key);
    this.#counted = options.counted ?? ((): void => {});
    const { capacity, clock, limits } = settings;
    const window = (): number => limits().window || LEAST_WINDOW_MS;
    this.#addresses = new FailureRecord({ window, capacity, repeats: REPEATS });
    this.#users = new FailureRecord({ window, capacity });
    const { changed = () => {} } = options;
    const list = (kind: Ban["kind"], name: BanKind): BanList =>
      new BanList({ kind, capacity, clock, changed: (...change) => changed(name, ...change) });
    this.#addressBans = list("address", "address");
    this.#userBans = list("user", "user");
    this.#localBans = list("user", "local");
    this.#ordered = new OrderedBans(
      clock,
      (kind, ...change) => changed(`ordered-${kind}`, ...change),
    );
    this.#familiar = new FamiliarAddresses({ users: capacity, addresses: 8 });
  }

  /** Whether anybody is banned; for a second after the last ban has ended it may still say so. */
  get active(): boolean {
    return this.#automatic.some(({ size }) => size > 0) || this.#ordered.size > 0;
  }

  /** Whether nobody at an address may log in: refuse it at the greeting, and logins of sessions that it has open already. */
  banned(address: string): boolean {
    if (!this.active) return false;
    const policy = this.#options.policyOf(address);
    if (policy === "slow") return false;
    if (this.#ordered.holdsAddress(address)) return true;
    const { own, wide } = this.#options.networksOf(address);
    if (policy === "ban-users" || this.#off) return false;
    if (policy === "ban-strangers" && this.#shared.has(own)) return false;
    return this.#addressBans.holds(own) || (wide !== undefined && this.#addressBans.holds(wide));
  }

  /**
   * Whether this login must be refused whatever its credentials are: the address is banned, or the name is, and its user was not
   * at this address lately. Answer such a login like a wrong password.
   *
   * @param user undefined where the client said no name
   */
  refuses(address: string, user: string | undefined): boolean {
    if (!this.active || this.#options.policyOf(address) === "slow") return false;
    if (this.banned(address)) return true;
    const name = user === undefined ? undefined : clipped(user);
    if (name !== undefined && this.#ordered.holdsUser(name)) return true;
    if (this.#off) return false;
    const { own } = this.#options.networksOf(address);
    const ofAddress = this.#addressBans.holds(own);
    if (name === undefined) return ofAddress;
    if (this.#localBans.holds(userAt(name, own))) return true;
    const shut = ofAddress || this.#userBans.holds(name);
    return shut && !this.#familiar.knows(name, own);
  }

  /** Counts a failure, and tells what it costs. */
  failed(attempt: FailedAttempt): Penalty {
    const { address, secret, unchecked = false } = attempt;
    const { failures: most } = this.#limits();
    const policy = this.#options.policyOf(address);
    const { own } = this.#options.networksOf(address);
    const user = attempt.user === undefined ? undefined : clipped(attempt.user);
    const at = this.#options.clock.monotonic();
    const weight = unchecked ? "unchecked" : "counted";
    const begun: Ban[] = [];
    let failures = 1;
    const mark = this.#marks.of([own, user ?? ""], secret);
    for (const { key, bans, limit, slows } of this.#countsOf(address, user)) {
      const banned = bans?.holds(key) ?? false;
      const failure = {
        at,
        mark,
        other: user ?? "",
        weight: banned ? "uncounted" : weight,
      } as const;
      const { different, all } = this.#addresses.add(key, failure);
      if (failure.weight === "counted") {
        this.#counted({ of: "address", key, mark, other: user ?? "" });
      }
      if (slows) failures = Math.max(failures, all);
      if (bans === undefined || banned || most === 0 || different < limit) continue;
      this.#addresses.forget(key);
      begun.push(this.#ban(bans, key, different));
    }
    // Those who say no name are not one user: one of them must not slow and shut out the others.
    if (user === undefined) return { delay: this.#delay(failures), begun };
    const counts = policy !== "slow" && !this.#userBans.holds(user);
    const markOfUser = this.#marks.of([user], secret);
    if (counts && weight === "counted") {
      this.#counted({ of: "user", key: user, mark: markOfUser, other: own });
    }
    const ofUser = this.#users.add(user, {
      at,
      mark: markOfUser,
      other: own,
      weight: counts ? weight : "uncounted",
    });
    if (counts && most > 0 && ofUser.different >= WIDE * most) {
      this.#users.forget(user);
      begun.push(this.#ban(this.#userBans, user, ofUser.different));
    }
    return { delay: this.#delay(Math.max(failures, ofUser.all)), begun };
  }

  /** Counts a failure that happened elsewhere, so many milliseconds ago. Whom it brings to the limit is banned by the next one here. */
  learn({ of, key, mark, other }: SharedFailure, ago: number): void {
    const at = this.#options.clock.monotonic() - ago;
    (of === "address" ? this.#addresses : this.#users).add(key, { at, mark, other });
  }

  /** Tells of a good login. */
  succeeded(address: string, user: string): void {
    const { own } = this.#options.networksOf(address);
    const name = clipped(user);
    for (const { key } of this.#countsOf(address, name)) this.#addresses.forgive(key, name);
    this.#users.forgive(name, own);
    this.#familiar.add(name, own);
    if (this.#options.policyOf(address) !== "ban-strangers") return;
    this.#shared.delete(own);
    this.#shared.add(own);
    const [oldest] = this.#shared;
    if (this.#shared.size > MOST_SHARED && oldest !== undefined) this.#shared.delete(oldest);
  }

  /** Whether an address has failed so often that it would be banned if its policy were not `slow`. */
  exhausted(address: string): boolean {
    const { failures } = this.#limits();
    if (failures === 0 || this.#options.policyOf(address) !== "slow") return false;
    const now = this.#options.clock.monotonic();
    const { own } = this.#options.networksOf(address);
    return this.#addresses.count(own, now).different >= failures;
  }

  /** The bans in force, oldest first. */
  bans(): Ban[] {
    const automatic = this.#off ? [] : this.#automatic.flatMap((bans) => bans.list());
    return [...automatic, ...this.#ordered.list()].sort((one, other) => one.since - other.since);
  }

  /**
   * Bans by an administrator's order.
   *
   * @param duration milliseconds
   * @throws {SyntaxError} when the target of kind `address` is neither an address nor a network
   */
  order(target: BanTarget, duration: number): Ban {
    return this.#ordered.add({ ...target, target: clipped(target.target) }, duration);
  }

  /** Takes bans that another run, or another machine, knows in place of those that are known here. */
  restore(bans: Readonly<Record<BanKind, readonly (readonly [target: string, BanEntry])[]>>): void {
    this.#addressBans.restore(bans.address);
    this.#userBans.restore(bans.user);
    this.#localBans.restore(bans.local);
    this.#ordered.restore("address", bans["ordered-address"]);
    this.#ordered.restore("user", bans["ordered-user"]);
  }

  /**
   * Ends bans, and forgets the failures that would lead to the next one.
   *
   * @param target an address in any form, a network as {@linkcode BruteForceGuard.bans} shows it, or a user's name
   * @returns whether there was anything to forget
   */
  lift(target: string): boolean {
    const { own, wide } = this.#options.networksOf(target);
    const keys = new Set([target, own, ...wide === undefined ? [] : [wide]]);
    // A user at an address counts as both.
    const fits = (key: string): boolean =>
      keys.values().some((each) =>
        key === each || key.startsWith(userAt(each, "")) || key.endsWith(userAt("", each))
      );
    const found = [
      ...this.#automatic.map((bans) => bans.liftAll(fits)),
      ...[this.#addresses, this.#users].map((record) => record.forgetAll(fits)),
      ...Array.from(keys, (key) => this.#ordered.lift(key)),
    ];
    return found.includes(true);
  }

  /** What is counted for a failure at an address: how often it may fail, what it is banned in, and whether it slows. */
  #countsOf(address: string, user: string | undefined): Count[] {
    const limit = this.#options.limits().failures;
    const { own, wide } = this.#options.networksOf(address);
    const policy = this.#options.policyOf(address);
    const counts: Count[] = [];
    if (policy === "slow") counts.push({ key: own, limit, slows: true });
    if (policy === "ban" || policy === "ban-strangers") {
      counts.push({ key: own, limit, slows: true, bans: this.#addressBans });
      // The wide network's failures come from many customers perhaps: they ban it in the end, but slow no one.
      if (wide !== undefined) {
        counts.push({ key: wide, limit: WIDE * limit, slows: false, bans: this.#addressBans });
      }
    }
    // Strangers share the address's ban.
    const apart = policy === "ban-users" ||
      (policy === "ban-strangers" && user !== undefined && this.#familiar.knows(user, own));
    if (user !== undefined && apart) {
      counts.push({ key: userAt(user, own), limit, slows: false, bans: this.#localBans });
    }
    return counts;
  }

  #limits(): BanLimits {
    const limits = this.#options.limits();
    const off = limits.failures === 0 || limits.window === 0 || limits.banTime === 0;
    return off ? { ...limits, failures: 0 } : limits;
  }

  /** The bans that failures brought about. */
  get #automatic(): readonly BanList[] {
    return [this.#addressBans, this.#userBans, this.#localBans];
  }

  /** Whether nobody is banned by failing: what was banned before is let in. */
  get #off(): boolean {
    return this.#limits().failures === 0;
  }

  #ban(bans: BanList, target: string, failures: number): Ban {
    return bans.add(target, { failures, duration: this.#limits().banTime });
  }

  #delay(failures: number): number {
    const { first, longest } = this.#options.delays();
    // 2^30 times anything is beyond every longest delay; more would be infinite some day.
    return first <= 0 ? 0 : Math.min(longest, first * 2 ** Math.min(failures - 1, 30));
  }
}

interface Count {
  readonly key: string;
  readonly limit: number;
  readonly slows: boolean;
  readonly bans?: BanList;
}

/** A user at one network, as bans show it. */
function userAt(user: string, network: string): string {
  return `${user} from ${network}`;
}

function clipped(user: string): string {
  return user.slice(0, MAX_NAME);
}
