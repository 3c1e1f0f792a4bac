/** What an administrator can do to a running server: the seam between the management protocol and the server itself. */

import type { ListedAppPassword } from "./account_store.ts";
import type { AppPasswordTerms } from "./user_source.ts";

import type { FleetManagement, HourRows, MinuteRows } from "./fleet.ts";
import type { TrashManagement } from "./trash.ts";

/** A request that could not be carried out for a reason that the administrator should read: the message goes to the client. */
export class ManagementError extends Error {
  override name = "ManagementError";
}

/** How setting an account ended. */
export type AddOutcome =
  | { readonly kind: "added" | "updated"; /** As it is kept. */ readonly name: string }
  | { readonly kind: "limit" }
  | { readonly kind: "unsafe-name" | "unsafe-password"; readonly reason: string };

/** How deleting a user ended. */
export type DeleteUserOutcome =
  | {
    readonly kind: "deleted";
    readonly name: string;
    /** The passwd-file that has a user of this name, too, who is in force from now on. */
    readonly remainsIn?: string;
  }
  | { readonly kind: "absent" | "logged-in" }
  /** Only the passwd-file has the user. */
  | { readonly kind: "in-file"; readonly path: string };

/** A session in a user's access log. */
export interface AccessInfo {
  readonly session: string;
  /** When it logged in; milliseconds since 1970. */
  readonly at: number;
  readonly address: string;
  /** The TLS version, or undefined in clear. */
  readonly tls: string | undefined;
  readonly mechanism: string;
  /** Undefined while it lasts. */
  readonly end: {
    /** Milliseconds since 1970. */
    readonly ended: number;
    readonly messages: number;
    readonly octets: number;
    readonly deleted: number;
    readonly ending: string;
  } | undefined;
}

/** How adding a user ended. */
export type AddUserOutcome =
  & AddOutcome
  & {
    /** Why there is no mailbox yet, as a sentence. */
    readonly trouble?: string;
  };

/** How changing something of a user ended. */
export type UserChangeOutcome =
  | {
    readonly kind: "changed"; /** As it is kept. */
    readonly name: string;
    readonly before: string | undefined;
  }
  | { readonly kind: "absent" }
  | { readonly kind: "invalid"; readonly reason: string };

/** Users. Names are taken as they were typed; what comes back is as they are kept. */
export interface UserManagement {
  /** Adds a user and makes the mailbox, or sets the password of one who exists. */
  add(name: string, password: string): Promise<AddUserOutcome>;
  /** Removes a user who is not logged in; the mail stays. */
  delete(name: string): Promise<DeleteUserOutcome>;
  /** Names in order. */
  list(): AsyncIterable<string>;
  /** Lets a user log in, or keeps one out; what there is of the user stays. */
  enable(name: string, enabled: boolean): Promise<UserChangeOutcome>;
  /** Sets a field of a user (`mailbox`, `home`, `quota` …), or takes it away where `value` is undefined. */
  setField(name: string, field: string, value: string | undefined): Promise<UserChangeOutcome>;
  /** A user's fields as they were set; undefined where there is no such user. */
  fields(name: string): Promise<ReadonlyMap<string, string> | undefined>;
  /** Finds a user. Returns the name as it is kept, or undefined. */
  find(name: string): Promise<string | undefined>;
  /** How many records a user's access log has. @param name as it is kept */
  logCount(name: string): Promise<number>;
  /** The newest records, newest last. @param name as it is kept */
  logs(name: string, most: number): Promise<readonly AccessInfo[]>;
}

/** How making an app password ended. */
export type AddKeyOutcome =
  | { readonly kind: "added"; readonly password: string; readonly name: string }
  | { readonly kind: "absent" | "exists" }
  | { readonly kind: "unsafe-label"; readonly reason: string }
  | { readonly kind: "in-file"; readonly path: string };

/** App passwords of users. */
export interface KeyManagement {
  /** @param terms what it is good for; everything that the user's password is, unless given */
  add(user: string, label: string, terms?: AppPasswordTerms): Promise<AddKeyOutcome>;
  /** Returns whether there was one. */
  delete(user: string, label: string): Promise<boolean>;
  /** By label; undefined when there is no such user. */
  list(user: string): Promise<readonly ListedAppPassword[] | undefined>;
}

/** An administrator's login. */
export interface AdministratorAttempt {
  readonly name: string;
  readonly password: string;
  /** The client's IP address. */
  readonly address: string;
}

/** How an administrator's login ended. */
export type AdministratorLogin =
  | { readonly kind: "granted"; /** As it is kept. */ readonly administrator: string }
  | {
    /** `unavailable`: it could not be found out. */
    readonly kind: "refused" | "unavailable";
    /** Milliseconds that the answer must wait. */
    readonly delay: number;
  };

/** Administrators. */
export interface AdministratorManagement {
  /** Whether this address is kept out for its failed logins. */
  banned(address: string): boolean;
  /**
   * Checks a password.
   *
   * @param gone aborted when the client leaves
   */
  verify(attempt: AdministratorAttempt, gone: AbortSignal): Promise<AdministratorLogin>;
  add(name: string, password: string): Promise<AddOutcome>;
  /** Removes an administrator, but never the last one. */
  delete(name: string): Promise<"deleted" | "absent" | "last">;
  /** Names in order. */
  list(): AsyncIterable<string>;
}

/** A setting as it is shown; secrets are hidden. */
export interface SettingInfo {
  readonly key: string;
  readonly value: string;
  /** `flag`, `set`, `environment`, `config` or `default`. */
  readonly source: string;
}

/** How changing a setting ended. */
export type SetOutcome =
  | {
    readonly kind: "changed";
    readonly before: string;
    readonly after: string;
    /** What is unwise about it, as sentences. */
    readonly warnings: readonly string[];
  }
  | { readonly kind: "invalid-key" | "invalid-value"; readonly reason: string };

/** Settings. */
export interface SettingManagement {
  /** Changes a setting and keeps it for the next start. */
  set(key: string, value: string): Promise<SetOutcome>;
  /** The value as text, or undefined where there is no such key. */
  get(key: string): string | undefined;
  list(): readonly SettingInfo[];
}

/** An open POP3 session. */
export interface SessionInfo {
  readonly id: string;
  /** Undefined before login. */
  readonly user: string | undefined;
  readonly address: string;
  readonly tls: string | undefined;
  readonly state: string;
  /** When it connected; milliseconds since 1970. */
  readonly since: number;
  /** Octets sent to it; undefined where another server knows. */
  readonly bytes: number | undefined;
  readonly lastCommand: string | undefined;
}

/** POP3 sessions. */
export interface SessionManagement {
  /** The oldest first; read at once, for they change. */
  list(): Iterable<SessionInfo>;
  /** Ends a session. Returns what it was, or undefined where there was none. */
  kick(id: string): SessionInfo | undefined;
}

/** The server's figures, by the names of operations.md. */
export interface Figures {
  /** Every figure, in the order of the list of metrics. */
  all(): Iterable<readonly [name: string, value: number]>;
  /** One figure, or undefined where there is none of that name. */
  get(name: string): number | undefined;
  /**
   * The last minutes of one figure, oldest first, the one under way last.
   *
   * @returns undefined where there is none of that name
   */
  history(
    name: string,
    minutes: number,
  ): MinuteRows | undefined | Promise<MinuteRows | undefined>;
}

/** The figures of the server itself, which keeps its hours too. */
export interface OwnFigures extends Figures {
  /** The last hours of one figure, likewise. */
  hours(name: string, hours: number): Promise<HourRows | undefined>;
}

/** Somebody who is kept out for failed logins. */
export interface BanInfo {
  readonly kind: "address" | "user";
  /** The address or network, or the user's name. */
  readonly subject: string;
  /** When it ends; milliseconds since 1970. */
  readonly until: number;
  /** 0 for a ban that an administrator ordered. */
  readonly failures: number;
}

/** How banning by order ended. */
export type BanOutcome =
  | {
    readonly kind: "banned";
    /** As BANS shows it: of an IPv6 address its /64. */
    readonly subject: string;
    /** When it ends; milliseconds since 1970. */
    readonly until: number;
  }
  | { readonly kind: "invalid"; readonly reason: string };

/** The bans of the brute-force guard. */
export interface BanManagement {
  list(): Iterable<BanInfo>;
  /** Bans an address, a network or a user. @param seconds how long; the setting `ban_time` unless given */
  order(subject: string, seconds: number | undefined): BanOutcome;
  /** Lifts the bans of an address or a user. Returns whether there was any. */
  lift(subject: string): boolean;
}

/** How a trace is made. */
export interface TraceOptions {
  /** Whether messages are told, too. */
  readonly bodies: boolean;
}

/** Traces of clients' sessions. */
export interface TraceManagement {
  /**
   * Tells every command and answer of a user's or an address's sessions from now on; secrets are hidden.
   *
   * @param signal ends it; it ends by itself after a while
   */
  open(
    subject: string,
    options: TraceOptions,
    signal: AbortSignal,
  ): AsyncIterable<readonly string[]>;
}

/** What came of a reload. */
export interface ReloadOutcome {
  /** Settings that have another value now, as `key: before → after`. */
  readonly changes: readonly string[];
  /** What was unwise, as sentences. */
  readonly warnings: readonly string[];
}

/** A backup that was made. */
export interface BackupInfo {
  /** On the server's machine. */
  readonly path: string;
  readonly users: number;
  readonly administrators: number;
  readonly octets: number;
}

/** Backups of the state. */
export interface BackupManagement {
  /**
   * Makes a backup, checked, in the server's folder of backups, and never in the place of another file.
   *
   * @param name a file's name in that folder; a new one, made from the time, where it is left out
   * @throws {ManagementError} when it cannot be made
   */
  make(name?: string): Promise<BackupInfo>;
}

/** The server as a whole. */
export interface LifeManagement {
  /**
   * Reads the config file, the passwd-file and the certificates again.
   *
   * @throws {ManagementError} when one of them is wrong; what is wrong stays as it was
   */
  reload(): Promise<ReloadOutcome>;
  /** Asks for the graceful end, and returns before it comes. */
  shutdown(): void;
}

/** All that an administrator can do. */
export interface Management {
  readonly users: UserManagement;
  readonly keys: KeyManagement;
  readonly trash: TrashManagement;
  readonly administrators: AdministratorManagement;
  readonly settings: SettingManagement;
  readonly sessions: SessionManagement;
  readonly figures: OwnFigures;
  readonly bans: BanManagement;
  readonly backups: BackupManagement;
  readonly life: LifeManagement;
  /** Present where other servers share the state. */
  readonly fleet?: FleetManagement | undefined;
  readonly traces: TraceManagement;
  /**
   * Resolves when figures, sessions and access logs hold all that POP3 clients have seen happen by now: threads tell of it a little later.
   */
  readonly caughtUp: () => Promise<void>;
}
