/** What management connections are given to work with. */

import type { Clock } from "../async/clock.ts";
import type { YieldingTask } from "../async/yielder.ts";
import type { CloseReason } from "../contracts/event.ts";
import type { Settings } from "../contracts/settings.ts";
import type { Management } from "../contracts/management.ts";

/** A change that an administrator made. */
export interface AuditEntry {
  readonly administrator: string;
  /** The address that it came from. */
  readonly address: string;
  /** The command that made it. */
  readonly action: string;
  /** What was changed: a user, a key of the settings, a session. */
  readonly object?: string | undefined;
  /** What it was, where that can be told; secrets are hidden. */
  readonly before?: string | undefined;
  /** What it is now; secrets are hidden. */
  readonly after?: string | undefined;
}

/** The settings that management connections go by. */
export type MsmpSettings = Pick<
  Settings,
  "adminTimeout" | "loginTimeout" | "maxBadCommands"
>;

/** What a connection keeps from its first line to its last. */
export interface MsmpServices {
  readonly management: Management;
  /** The settings with which the connection began. */
  readonly settings: MsmpSettings;
  /** The client's IP address. */
  readonly address: string;
  /** Whether the client's address has more connections than it may have: it is told so in place of the greeting. */
  readonly isOverLimit: boolean;
  /** Whether TLS can be had by STLS. */
  readonly tlsOffered: boolean;
  /** Whether a password may come in clear. */
  readonly clearAllowed: boolean;
  /** The program's version. */
  readonly version: string;
  /** Writes a change to the log. */
  readonly audit: (entry: AuditEntry) => void;
  /** Told of the administrator's name at login. */
  readonly entered: (administrator: string) => void;
  /** Ends the other connections of an administrator who is none any more. */
  readonly dismiss: (administrator: string) => void;
  /** What the administrator may read of an error; undefined for faults of ours. */
  readonly explain: (error: unknown) => string | undefined;
  /** Told that a TLS handshake failed, and why, where that is known. */
  readonly handshakeFailed: (reason: string | undefined) => void;
  /** Told how the connection ended. */
  readonly ended: (reason: CloseReason) => void;
  readonly clock: Clock;
  /**
   * Keeps the connection slot to the connection's end. Where other administrators keep all of them, it waits for one to end.
   *
   * @returns false when there is none to be had
   */
  readonly keepSlot: (gone: AbortSignal) => boolean | Promise<boolean>;
  /**
   * Waits before the answer to a failed login; a client that leaves meanwhile ends its connection.
   *
   * @returns false, without waiting, when too many answers to this address wait already: close then
   */
  readonly penalty: (milliseconds: number, gone: AbortSignal) => Promise<boolean>;
  /** Waits so many milliseconds, or until the signal is aborted, whichever comes first. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Lets everything else of the thread run while a long list is read. */
  readonly yielder: YieldingTask;
}
