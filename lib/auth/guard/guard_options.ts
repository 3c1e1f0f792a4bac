/** What the brute-force guard is made with. */

import type { Clock } from "../../async/clock.ts";
import type { AddressPolicy, Ban, BanLimits, SharedFailure } from "../../contracts/ban.ts";
import type { BanEntry } from "./ban_list.ts";

/** Settings of the guard. Times are milliseconds. */
export interface BruteForceGuardOptions {
  /** Who an address is counted as: itself or its /64, and for IPv6 the /48 around it (`clientNetworks` of lib/net). */
  readonly networksOf: (address: string) => { readonly own: string; readonly wide?: string };
  /** How failures at an address are answered, as it is set now. @default everybody is banned alike */
  readonly policyOf?: (address: string) => AddressPolicy;
  /** Delay of the first failure and the longest one, as they are set now; 0 turns delays off, nothing else. */
  readonly delays: () => { readonly first: number; readonly longest: number };
  /** What bans, as it is set now. @default 20 failures within 600000 ban for 900000 */
  readonly limits?: () => BanLimits;
  /** Addresses, and users, that are kept in mind at most. @default 10000 */
  readonly capacity?: number;
  /** Durations go by its monotonic time; the wall clock only labels bans. @default {systemClock} */
  readonly clock?: Clock;
  /** The key under which tried secrets are told apart. @default 32 random octets */
  readonly key?: Uint8Array;
  /** Told of each ban that begins, and of each that ends before its time (without what it was). */
  readonly changed?: (kind: BanKind, target: string, ban: BanEntry | undefined) => void;
  /** Told of each failure that counts, for other servers that the same attacker tries. */
  readonly counted?: (failure: SharedFailure) => void;
}

/** The ways of being banned: by failures of an address, of a user, of a user at one network, or by order. */
export type BanKind = "address" | "user" | "local" | `ordered-${Ban["kind"]}`;
