/** What a mail store is: users' maildrops, each frozen at login. */

import type { UserRecord } from "./user_record.ts";

/** A message as the session knows it; its number is its index in {@linkcode Maildrop.messages} + 1. */
export interface MessageInfo {
  /** Unique-id (RFC 1939, section 7): 1–70 characters of 0x21–0x7E, the same in every session. */
  readonly uid: string;
  /** Octets that RETR sends, line ends counted as CRLF, dot-stuffing undone (RFC 1939, section 11). */
  readonly size: number;
}

/** Which file a message lies in, for another thread: it opens the file by its name, and makes sure that it is this one. */
export interface MessageFile {
  /** Absolute. Another program may have given the name to another file since. */
  readonly path: string;
  /** The file's number on its device; no other file has it for as long as this one is open. */
  readonly device: number;
  readonly inode: number;
  /** Octets. */
  readonly size: number;
}

/** A message's octets as they are stored: read here once from beginning to end, or by a program of its own. */
export interface StoredMessage extends Disposable {
  /** Octets that RETR sends, dot-stuffing undone. Counted anew when the file is not the one that was measured. */
  readonly size: number;
  /** Octets as stored. */
  readonly storedSize: number;
  /** Whether the stored octets are already what RETR sends: CRLF line ends, no line begins with a dot, the last line ended. */
  readonly verbatim: boolean;
  /**
   * Waits until the next octets are at hand. Only of messages that another thread reads, since their file system is slow: then before each
   * {@linkcode StoredMessage.readSync}.
   *
   * @throws {MaildropUnavailableError} when they do not come in time
   * @throws {MessageChangedError} when the file has become shorter
   */
  ready?(): Promise<void>;
  /**
   * Puts the next stored octets into `into`. Synchronous: a local file's read is quicker than a change of task.
   *
   * @returns how many (at least 1), or null at the end
   * @throws {MessageChangedError} when its file has become shorter; what was read is then not a whole message
   * @throws {Error} when it cannot be read
   */
  readSync(into: Uint8Array): number | null;
  /** The file, undefined where it lies in none. Its size is that of {@linkcode StoredMessage.storedSize}. */
  readonly file: MessageFile | undefined;
}

/** Asked before each message that is removed, or before some that are removed within milliseconds: whether the user's lock is held still. */
export type MayRemove = () => boolean;

/**
 * Makes sure of the user's lock before anything is removed; undefined when it is lost.
 *
 * @throws {Error} when it cannot be found out whether it is held
 */
export type RaiseFence = () => Promise<MayRemove | undefined>;

/** A user's messages as they stood at login. Disposing lets go of it and carries out what {@linkcode Maildrop.retrieved} noted. */
export interface Maildrop extends AsyncDisposable {
  /** By delivery time, then by name; never changes while the maildrop is open. */
  readonly messages: readonly MessageInfo[];
  /**
   * Opens a message.
   *
   * @param signal ends the work where the message must be measured anew
   * @throws {MessageGoneError} when another program removed it
   * @throws {Error} when it cannot be read
   */
  open(message: MessageInfo, signal?: AbortSignal): Promise<StoredMessage>;
  /** The highest number of a message that an earlier session retrieved, counted from 1; 0 where there is none (RFC 1225, LAST). */
  lastRetrieved(): number;
  /** Notes that a client has a message whole: it is marked seen, and its time to expire begins, when the maildrop is disposed. */
  retrieved(message: MessageInfo): void;
  /**
   * Removes messages for good: when this has settled, no crash brings one back (the folder is synced), those excepted that are told. A
   * message that is gone already counts as removed. Whatever fails, each message is tried, and what was removed is synced.
   *
   * @param mayRemove what it does not allow any more stays @default always
   * @param by the session and the address of who removes them, where they are kept for a while
   */
  remove(
    messages: readonly MessageInfo[],
    mayRemove?: MayRemove,
    by?: string,
  ): Promise<RemovalOutcome>;
}

/** What became of messages that were to be removed: those in neither list are gone for good. */
export interface RemovalOutcome {
  /** Still there. */
  readonly stayed: readonly MessageInfo[];
  /** Gone, but their folder could not be synced: a power failure could bring them back. */
  readonly unsynced: readonly MessageInfo[];
  /** Why, one sentence for each kind of reason; safe to print. */
  readonly reasons: readonly string[];
  /** Whether another try would fare no better until the server's administrator has mended something. @default false */
  readonly isHelpless?: boolean;
  /** Whether messages stayed because the user's lock was lost meanwhile. @default false */
  readonly isLockLost?: boolean;
}

/** Where users' messages are kept. */
export interface MailStore {
  /**
   * Opens a user's maildrop; the caller holds the user's lock. A user who never had a mailbox gets an empty one.
   *
   * @param signal ends the work, for instance of measuring many messages; what was done of it is kept for the next time
   * @param fence asked before messages are removed that have expired @default nothing can take the lock away
   * @param record what is known of the user
   * @throws {MaildropUnreadableError} when the mailbox exists and cannot be read, may not be made, or no place can be told for it
   * @throws {MaildropUnavailableError} when it cannot be opened now, or not in time, or was there and is missing
   * @throws {RangeError} when the name can be nobody's
   * @throws the signal's reason
   */
  acquire(
    user: string,
    signal?: AbortSignal,
    fence?: RaiseFence,
    record?: UserRecord,
  ): Promise<Maildrop>;
  /** Makes a user's mailbox where there is none. */
  create(user: string, record?: UserRecord): Promise<void>;
  /**
   * Removes what `expire` says is due in one user's mailbox; the caller holds the user's lock. Returns how many messages went.
   *
   * @param fence asked before anything is removed @default nothing can take the lock away
   */
  expire(user: string, fence?: RaiseFence, record?: UserRecord): Promise<number>;
  /**
   * Removes what deliveries to one user's mailbox left unfinished long ago. Needs no lock: no session sees it.
   *
   * @returns how many files went
   */
  removeAbandoned(user: string, record?: UserRecord): Promise<number>;
}

/** A message stays because the user's lock was lost. */
export class LockLostError extends Error {
  override name = "LockLostError";
}

/** A message of the snapshot that no longer exists. */
export class MessageGoneError extends Error {
  override name = "MessageGoneError";
}

/** A message whose file another program cut or lengthened while it was sent; nobody may take what was sent for a whole message. */
export class MessageChangedError extends Error {
  override name = "MessageChangedError";
}

/** A mailbox that exists and cannot be read; the message is for the log, not for the client. */
export class MaildropUnreadableError extends Error {
  override name = "MaildropUnreadableError";
}

/** A mailbox that cannot be opened now, and may be later: a disk or a file server fails. The message is for the log, not for the client. */
export class MaildropUnavailableError extends Error {
  override name = "MaildropUnavailableError";
}
