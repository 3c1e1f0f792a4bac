/** What the brute-force guard is told of failed logins, and what it shows of itself. */

/** A failed login. */
export interface FailedAttempt {
  /** The client's IP address. */
  readonly address: string;
  /**
   * The name that was tried, whether or not there is such a user: both must cost the same. Absent where none was said (a
   * bearer token names its user itself): such a failure counts for the address alone.
   */
  readonly user?: string;
  /** What was tried as a password or token; absent where it cannot be seen (SCRAM, APOP). */
  readonly secret?: string;
  /** Whether it could not be found out if the credentials were right. */
  readonly unchecked?: boolean;
}

/** A failure that counts, wherever it happened. */
export interface SharedFailure {
  /** Whose failure it is: an address's (or a user's at one network), or a user's from everywhere. */
  readonly of: "address" | "user";
  /** Under which it counts. */
  readonly key: string;
  /** Tells one tried secret from another, on all servers. */
  readonly mark: string;
  /** Who else was concerned. */
  readonly other: string;
}

/** What a failed login costs. */
export interface Penalty {
  /** Milliseconds to wait before the refusal is sent. */
  readonly delay: number;
  /** The bans that this failure brought about, for the log. */
  readonly begun: readonly Ban[];
}

/** A ban in force. */
export interface Ban {
  readonly kind: "address" | "user";
  /**
   * The address, network (`2001:db8::/64`) or user name; `ada from 127.0.0.1` for a user who is banned at an address that is not.
   * {@linkcode BruteForceGuard.lift} takes each.
   */
  readonly target: string;
  /** Milliseconds since 1970, by the wall clock as it is set when the ban is shown. */
  readonly since: number;
  readonly until: number;
  /** How many failures led to it; 0 for a ban that an administrator ordered. */
  readonly failures: number;
}

/** How many failures ban for how long; any of them 0 turns bans off. */
export interface BanLimits {
  /** Failures that ban an address; five times as many ban a /48, or the name of a user from everywhere. */
  readonly failures: number;
  /** Milliseconds for which a failure counts. */
  readonly window: number;
  /** Milliseconds that a ban lasts. */
  readonly banTime: number;
}

/**
 * How failures at an address are answered.
 *
 * - `ban`: too many ban the address.
 * - `ban-strangers`: likewise, but users who logged in from there lately are let in until they fail too often themselves. For
 *   loopback, which everybody shares whose mail comes by a program on this machine.
 * - `ban-users`: too many of one user ban that user there, and never the address. For trusted networks.
 * - `slow`: nobody is banned there, whoever ordered it; after too many failures logins are looked at one by one. For management
 *   from this machine, which must not be lost.
 */
export type AddressPolicy = "ban" | "ban-strangers" | "ban-users" | "slow";
