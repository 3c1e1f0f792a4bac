/** What a user directory is: it says whether somebody is who they claim to be. */

import type { UserRecord } from "./user_record.ts";
import { ExpectedError } from "./expected_error.ts";
import type { AppPasswordTerms, AppPasswordUse } from "./user_source.ts";
import type { Credentials, ScramParameters } from "./login_service.ts";

/** Credentials that were right. */
export interface Verified {
  /** The canonical name, under which the maildrop is kept. */
  readonly user: string;
  /** What is known of the user besides. */
  readonly record?: UserRecord | undefined;
  /** Whether the user is known, and kept out. */
  readonly disabled?: boolean;
  /** SCRAM's proof of the server (RFC 5802, section 3). */
  readonly serverSignature?: Uint8Array;
  /** The app password that was right, where it was one. */
  readonly appPassword?: AppPasswordTerms & { readonly label: string };
}

/** Who asks. */
export interface Asker {
  /** Such as the client's network: where checks must wait, each has its turn. */
  readonly from: string;
  /** The client's IP address, for app passwords that are good in some networks only. */
  readonly address: string;
  /** Whether the connection is encrypted. */
  readonly tls?: boolean;
}

/**
 * Finds out whom a bearer token names (RFC 7628).
 *
 * @param token as the client sent it
 * @param claimed the name that the client gave, if it gave one
 * @returns the user's name, or undefined when the token is not good for it
 */
export type BearerVerifier = (
  token: string,
  claimed: string | undefined,
) => Promise<string | undefined>;

/** Says whether somebody is who they claim to be. */
export interface UserDirectory {
  /** Whether every user has SCRAM keys, so that SCRAM may be offered. */
  readonly scramForAll: boolean;
  /** Salt and iteration count of a user; made up, but steady, for a name that nobody has. */
  scramParameters(user: string): Promise<ScramParameters>;
  /**
   * Checks credentials. A wrong password and an unknown name cost the same work.
   *
   * @returns undefined when they are wrong
   * @throws {UserDirectoryError} when it could not be found out
   */
  verify(credentials: Credentials, asker?: Asker): Promise<Verified | undefined>;
  /** Notes that an app password let its user in, where {@linkcode Verified.appPassword} tells of one. */
  used?(verified: Verified, use: AppPasswordUse): Promise<void>;
}

/** Users cannot be looked up now; the message is for the log, not for the client. */
export class UserDirectoryError extends ExpectedError {
  override name = "UserDirectoryError";
}
