/** Slows those who guess passwords, and shuts them out for a while: delays, bans, and what they do not touch. */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes } from "node:crypto";
import { type Clock, systemClock } from "../../async/clock.ts";
import type { Ban, FailedAttempt, Penalty } from "../../contracts/ban.ts";
import { BanList } from "./ban_list.ts";
import { FailureRecord } from "./failure_record.ts";
import { FamiliarAddresses } from "./familiar_addresses.ts";

/** Settings of {@linkcode BruteForceGuard}. Times are milliseconds. */
export interface BruteForceGuardOptions {
  /** Who an address is counted as: itself or its /64, and for IPv6 the /48 around it (`clientNetworks` of lib/net). */
  readonly networksOf: (address: string) => { readonly own: string; readonly wide?: string };
  /** Delay of the first failure and the longest one, as they are set now; 0 turns delays off, nothing else. */
  readonly delays: () => { readonly first: number; readonly longest: number };
  /** For how long a failure counts. @default 600000 */
  readonly window?: number;
  /** Failures within the window that ban an address. @default 20 */
  readonly addressFailures?: number;
  /** Failures within the window that ban a /48. @default 100 */
  readonly wideFailures?: number;
  /** Failures within the window, from all addresses, that ban a user's name. @default 100 */
  readonly userFailures?: number;
  /** How long a ban lasts. @default 900000 */
  readonly banTime?: number;
  /** Addresses, and users, that are kept in mind at most. @default 10000 */
  readonly capacity?: number;
  /** Durations go by its monotonic time; the wall clock only labels bans. @default {systemClock} */
  readonly clock?: Clock;
  /** The key under which tried secrets are told apart. @default 32 random octets */
  readonly key?: Uint8Array;
}

/** Characters of a name that are kept; no user's name is longer, but what attackers try may be. */
const MAX_NAME = 128;

/**
 * Counts failed logins of all protocols together.
 *
 * - A failure is answered after a delay that doubles with each one of the same address, or of the same user. Whoever has
 *   the right password never waits.
 * - An address with too many failures is banned, and by itself free again later.
 * - Towards a ban, the same wrong password for the same user from the same address counts once: a telephone with a stale
 *   password tries for ever and must not lock out its office. Of what was tried, only a keyed hash is kept.
 * - A name that is tried from many addresses is banned as well, except from networks where its user logged in lately, so
 *   that attackers cannot shut users out.
 * - A good login takes back what that user failed from that address, and nothing else: an attacker's own account does not
 *   clear his record.
 */
export class BruteForceGuard {
  readonly #options: Required<Omit<BruteForceGuardOptions, "key">>;
  readonly #key: Uint8Array;
  readonly #addresses: FailureRecord;
  readonly #users: FailureRecord;
  readonly #addressBans: BanList;
  readonly #userBans: BanList;
  readonly #familiar: FamiliarAddresses;

  constructor(options: BruteForceGuardOptions) {
    const settings = {
      window: 600_000,
      addressFailures: 20,
      wideFailures: 100,
      userFailures: 100,
      banTime: 900_000,
      capacity: 10_000,
      clock: systemClock,
      ...options,
    };
    this.#options = settings;
    this.#key = options.key ?? randomBytes(32);
    const { window, capacity, banTime } = settings;
    this.#addresses = new FailureRecord({ window, capacity });
    this.#users = new FailureRecord({ window, capacity });
    const { clock } = settings;
    this.#addressBans = new BanList({ kind: "address", duration: banTime, capacity, clock });
    this.#userBans = new BanList({ kind: "user", duration: banTime, capacity, clock });
    this.#familiar = new FamiliarAddresses({ users: capacity, addresses: 8 });
  }

  /** Whether an address is banned: refuse it at the greeting, and logins of sessions that it has open already. */
  banned(address: string): boolean {
    return this.#keysOf(address).some(({ key }) => this.#addressBans.holds(key));
  }

  /**
   * Whether this login must be refused before its credentials are looked at: the address is banned, or the name is, and
   * its user was not at this address lately. Answer such a login like a wrong password.
   *
   * @param user undefined where the client said no name
   */
  refuses(address: string, user: string | undefined): boolean {
    if (this.banned(address)) return true;
    if (user === undefined) return false;
    const name = clipped(user);
    return this.#userBans.holds(name) &&
      !this.#familiar.knows(name, this.#options.networksOf(address).own);
  }

  /** Counts a failure, and tells what it costs. */
  failed(attempt: FailedAttempt): Penalty {
    const { address, secret } = attempt;
    const { own } = this.#options.networksOf(address);
    const user = clipped(attempt.user ?? "");
    const at = this.#options.clock.monotonic();
    const begun: Ban[] = [];
    let ofAddress = 0;
    const mark = this.#mark([own, user], secret);
    for (const { key, limit } of this.#keysOf(address)) {
      const { different, all } = this.#addresses.add(key, { at, mark, other: user });
      // The wide network's failures come from many customers perhaps: they ban it in the end, but slow no one.
      if (key === own) ofAddress = all;
      if (different >= limit) {
        begun.push(this.#ban(this.#addresses, this.#addressBans, key, different));
      }
    }
    // Those who say no name are not one user: one of them must not slow and shut out the others.
    if (attempt.user === undefined) return { delay: this.#delay(ofAddress), begun };
    const ofUser = this.#users.add(user, { at, mark: this.#mark([user], secret), other: own });
    if (ofUser.different >= this.#options.userFailures) {
      begun.push(this.#ban(this.#users, this.#userBans, user, ofUser.different));
    }
    return { delay: this.#delay(Math.max(ofAddress, ofUser.all)), begun };
  }

  /** Tells of a good login. */
  succeeded(address: string, user: string): void {
    const { own } = this.#options.networksOf(address);
    const name = clipped(user);
    for (const { key } of this.#keysOf(address)) this.#addresses.forgive(key, name);
    this.#users.forgive(name, own);
    this.#familiar.add(name, own);
  }

  /** The bans in force, oldest first. */
  bans(): Ban[] {
    return [...this.#addressBans.list(), ...this.#userBans.list()]
      .sort((one, other) => one.since - other.since);
  }

  /**
   * Ends bans, and forgets the failures that would lead to the next one.
   *
   * @param target an address in any form, a network as {@linkcode BruteForceGuard.bans} shows it, or a user's name
   * @returns whether there was anything to forget
   */
  lift(target: string): boolean {
    const keys = new Set([target, ...this.#keysOf(target).map(({ key }) => key)]);
    let found = false;
    for (const key of keys) {
      for (const bans of [this.#addressBans, this.#userBans]) found = bans.lift(key) || found;
      for (const record of [this.#addresses, this.#users]) found = record.forget(key) || found;
    }
    return found;
  }

  #keysOf(address: string): { key: string; limit: number }[] {
    const { own, wide } = this.#options.networksOf(address);
    const keys = [{ key: own, limit: this.#options.addressFailures }];
    if (wide !== undefined) keys.push({ key: wide, limit: this.#options.wideFailures });
    return keys;
  }

  /** Bans start the count anew: failures before it weigh nothing after it. */
  #ban(record: FailureRecord, bans: BanList, target: string, failures: number): Ban {
    record.forget(target);
    return bans.add(target, failures);
  }

  #delay(failures: number): number {
    const { first, longest } = this.#options.delays();
    // 2^30 times anything is beyond every longest delay; more would be infinite some day.
    return first <= 0 ? 0 : Math.min(longest, first * 2 ** Math.min(failures - 1, 30));
  }

  /** Two marks are equal where the same was tried; a secret that cannot be seen is always another one. */
  #mark(scope: readonly string[], secret: string | undefined): string {
    if (secret === undefined) return randomBytes(12).toString("base64");
    const hash = createHmac("sha256", this.#key);
    for (const part of [...scope, secret]) {
      // Lengths in front, so that no two lists of parts are the same octets.
      const octets = Buffer.from(part);
      hash.update(`${octets.length}:`).update(octets);
    }
    return hash.digest("base64").slice(0, 16);
  }
}

function clipped(user: string): string {
  return user.slice(0, MAX_NAME);
}
