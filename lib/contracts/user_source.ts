/** Where a user's secrets come from: the state, a passwd-file, memory. */

import type { UserRecord } from "./user_record.ts";

/** What SCRAM-SHA-256 keeps instead of a password (RFC 5802, section 3); 32 octets each. */
export interface ScramKeys {
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** Schemes of other servers' password hashes, as Dovecot's passwd-file names them. */
export type ForeignScheme =
  | "SHA"
  | "SSHA"
  | "SHA256"
  | "SSHA256"
  | "SHA512"
  | "SSHA512"
  | "LDAP-MD5"
  | "SMD5"
  | "PLAIN-MD5"
  | "CRAM-MD5"
  | "MD5-CRYPT"
  | "SHA256-CRYPT"
  | "SHA512-CRYPT"
  | "BLF-CRYPT"
  | "ARGON2I"
  | "ARGON2ID"
  | "PBKDF2"
  | "SCRAM-SHA-1";

/** A password hash that another server made; it stands until the first good login brings SCRAM keys. */
export interface ForeignHash {
  readonly scheme: ForeignScheme;
  /** In the scheme's own text form, `$6$…`, `$2y$…` or `$argon2id$…`; octets of plain digests, with the salt behind them, in base64. */
  readonly data: string;
}

/** Salt and iteration count that a user's password and app passwords share, so that SCRAM can try each. */
export interface Salting {
  /** 16 octets, where this server chose it. */
  readonly salt: Uint8Array;
  /** At least 4096 (RFC 7677, section 4). */
  readonly iterations: number;
}

/** What an app password is good for; without terms, for all that the user's password is. */
export interface AppPasswordTerms {
  /** When it ends; milliseconds since 1970. */
  readonly expires?: number;
  /** Networks that it may be used from, as `192.0.2.0/24`. */
  readonly networks?: readonly string[];
  /** Whether it deletes nothing. */
  readonly readOnly?: boolean;
}

/** Keys of one of a user's secrets. */
export interface UserKeys extends ScramKeys {
  /** Of an app password: its label and its terms. */
  readonly app?: AppPasswordTerms & { readonly label: string };
}

/** When and from where an app password was used last. */
export interface AppPasswordUse {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The client's IP address. */
  readonly address: string;
}

/** A user as a source knows them. */
export interface FoundUser extends Salting {
  /** The name under which the maildrop is kept. */
  readonly name: string;
  /** Changes whenever one of the user's secrets does, and never comes again. */
  readonly revision: string;
  /** Of the password, where it has keys, and of the app passwords. */
  readonly keys: readonly UserKeys[];
  /** The password itself, where a file gives it in clear. APOP needs it (RFC 1939, section 7). */
  readonly clear?: string;
  /** The password's hash, where it has no keys yet. */
  readonly foreign?: ForeignHash;
  /** What the source says of the user besides. */
  readonly record?: UserRecord;
  /** Whether the source keeps the user out. */
  readonly disabled?: boolean;
}

/** One place that knows users. */
export interface UserSource {
  /** Of the hashes of users who have no SCRAM keys yet, the one whose check costs the most; undefined when SCRAM works for every user here. */
  readonly costliestForeign: ForeignHash | undefined;
  /** A user whom the source has at hand; asked for good logins only, whose time may tell that there is such a user. */
  recall?(name: string): FoundUser | undefined;
  /**
   * Looks a user up, in the same time whether there is one or not.
   *
   * @throws {Error} when the source cannot be read
   */
  find(name: string): Promise<FoundUser | undefined>;
  /** Keeps the keys of a password that {@linkcode FoundUser.clear} gave or {@linkcode FoundUser.foreign} proved right. */
  learn(user: FoundUser, keys: ScramKeys): Promise<void>;
  /** Notes that an app password let its user in. @throws {Error} when it cannot be noted */
  used?(name: string, label: string, use: AppPasswordUse): Promise<void>;
}

/** Keys that were learned for a hash in a passwd-file. They hold as long as the file's line does. */
export interface LearnedKeys extends Salting, ScramKeys {
  readonly name: string;
  /** The hexadecimal SHA-256 of the line's `{SCHEME}data`. */
  readonly fingerprint: string;
}

/** Keeps what was learned, so that it is not learned again after a restart. */
export interface LearnedKeysStore {
  /** All that was learned. */
  list(): AsyncIterable<LearnedKeys>;
  /** Keeps one, in place of what was learned for this name before. */
  put(keys: LearnedKeys): Promise<void>;
}
