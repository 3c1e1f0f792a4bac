/** What the brute-force guard shows of itself, and what it is told. */

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
  /** The address, network (`2001:db8::/64`) or user name, as {@linkcode BruteForceGuard.lift} takes it. */
  readonly target: string;
  /** Milliseconds since 1970, by the wall clock as it is set when the ban is shown. */
  readonly since: number;
  readonly until: number;
  /** How many failures led to it. */
  readonly failures: number;
}
