/** What the state keeps of login attempts: who is banned, and when users last logged in. */

/** A ban that outlives the process. Lengths of time and no moments: the store that keeps it decides by which clock. */
export interface KeptBan {
  /** Whose logins, and in which way: `users:address`, `administrators:ordered-address`. */
  readonly kind: string;
  /** The address, network or user name, as bans are shown. */
  readonly target: string;
  /** Milliseconds since it began. */
  readonly age: number;
  /** Milliseconds until it ends. */
  readonly left: number;
  /** How many failures led to it; 0 for one that an administrator ordered. */
  readonly failures: number;
}

/** A ban that began, or began anew, or was ended before its time. */
export type BanChange =
  & Pick<KeptBan, "kind" | "target">
  & { readonly ban: Pick<KeptBan, "age" | "left" | "failures"> | undefined };

/** Keeps what login attempts lead to, so that neither a restart nor a kill forgets it. */
export interface AttemptStore {
  /** Whether other processes write to it, too. */
  readonly isShared: boolean;
  /** The bans in force, the one that began first in front. */
  bans(): Promise<readonly KeptBan[]>;
  /** Notes what became of bans, all at once; what is said of one target twice in a list, the last of it holds. */
  change(changes: readonly BanChange[]): Promise<void>;
  /** Milliseconds since a user last logged in, as far as that is kept. */
  lastLogin(name: string): Promise<number | undefined>;
  /**
   * Notes a login of now.
   *
   * @param keep milliseconds for which logins are kept; older ones are forgotten
   */
  loggedIn(name: string, keep: number): Promise<void>;
}
