/** What sessions ask of whoever keeps users, locks and bans: in one process, or by messages to the main thread. */

import type { TraceTarget } from "./trace.ts";
import type { CloseReason, ServerEvent } from "./event.ts";
import type { SessionSettings } from "./settings.ts";
import type { UserRecord } from "./user_record.ts";

/** What a client offers to prove who it is. */
export type Credentials =
  | {
    readonly kind: "password";
    /** As logs and metrics show it: `USER` or the name of a SASL mechanism. */
    readonly mechanism: string;
    readonly user: string;
    readonly password: string;
  }
  | {
    /** RFC 1939, section 7: `digest` is the hexadecimal MD5 of timestamp and shared secret. */
    readonly kind: "apop";
    readonly mechanism: "APOP";
    readonly user: string;
    readonly timestamp: string;
    readonly digest: string;
  }
  | {
    /** RFC 5802, section 3. */
    readonly kind: "scram";
    readonly mechanism: "SCRAM-SHA-256";
    readonly user: string;
    readonly authMessage: string;
    readonly proof: Uint8Array;
  }
  | {
    readonly kind: "bearer";
    readonly mechanism: "OAUTHBEARER" | "XOAUTH2";
    /** The name that the client claims; the token decides. */
    readonly user: string | undefined;
    readonly token: string;
  };

/** Salt and iteration count that a SCRAM exchange with a user begins with; made up, but steady, for unknown users. */
export interface ScramParameters {
  readonly salt: Uint8Array;
  readonly iterations: number;
}

/** Who is asking. */
export interface SessionIdentity {
  /** Unique among all sessions since the server's first start. */
  readonly session: string;
  /** The client's IP address. */
  readonly address: string;
  /** The TLS version, where the connection is encrypted. */
  readonly tls: string | undefined;
}

/** A user's lock, held from login to the end of the session. Disposing gives it back, as after an error. */
export interface Lease extends AsyncDisposable {
  /**
   * Says whom to tell when the lock is lost: once, and at once if it is lost already. A callback and no signal, since ten thousand
   * idle sessions hold one each.
   */
  onLost(tell: () => void): void;
  /**
   * Makes sure of the lock before anything is removed: another machine may have taken it over from one that stood still.
   *
   * @returns for how many milliseconds, from the call on, nobody else can take it: 0 when it is lost, Infinity when it is held until it
   * is given back
   * @throws {Error} when that cannot be found out
   */
  claim(): Promise<number>;
  /** Gives the lock back, and says how the session ended. Settles when others can take it, or that cannot be waited for; never rejects. */
  release(ending: CloseReason): Promise<void>;
}

/** How a login attempt ended. */
export type LoginOutcome =
  | {
    readonly kind: "granted";
    /** The name under which the maildrop is kept. */
    readonly user: string;
    /** What is known of the user besides. */
    readonly record?: UserRecord;
    readonly lease: Lease;
    /** Whether the session may delete nothing. @default false */
    readonly readOnly?: boolean;
    /** SCRAM's proof of the server (RFC 5802, section 3). */
    readonly serverSignature?: Uint8Array;
    /** Milliseconds that were waited for a turn or a lock; absent where there was nothing to wait for. */
    readonly waited?: number;
  }
  | {
    readonly kind: "refused";
    /** Likewise. */
    readonly waited?: number;
    readonly reason: "credentials" | "in-use" | "login-delay" | "unavailable";
    /** For `login-delay`: how many seconds remain. */
    readonly seconds?: number;
    /** For `credentials` and `unavailable`: milliseconds that the answer must wait. Whoever serves the client waits, and can end when the client does. */
    readonly delay?: number;
  };

/** What sessions ask of the keeper of users, locks, bans and settings. */
export interface LoginService {
  /** The settings in force now; a session keeps what it began with. */
  readonly settings: SessionSettings;
  /** Whether every user has SCRAM keys, so that SCRAM may be offered. */
  readonly scramForAll: boolean;
  /** Whether bearer tokens can be checked. */
  readonly bearer: boolean;
  /** Whose sessions administrators trace; undefined where nobody's. */
  readonly traces?: readonly TraceTarget[] | undefined;
  /**
   * Asks whether an address may have a session at all.
   *
   * @returns undefined when it may, else why not
   */
  admit(identity: SessionIdentity): Promise<"banned" | undefined>;
  /** What a SCRAM exchange with this user begins with; undefined when that cannot be found out now. */
  scramParameters(user: string): Promise<ScramParameters | undefined>;
  /**
   * Checks credentials and takes the user's lock, in one step.
   *
   * @param gone aborted when the client leaves: a login that still waits for its turn is not checked then, and counts as failed
   */
  login(
    identity: SessionIdentity,
    credentials: Credentials,
    gone?: AbortSignal,
  ): Promise<LoginOutcome>;
  /** Hands over what happened. */
  observe(event: ServerEvent): void;
}
