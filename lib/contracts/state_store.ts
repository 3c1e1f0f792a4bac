/** What the state is: all that a server remembers from one start to the next. */

import { ExpectedError } from "./expected_error.ts";
import type { LearnedKeysStore } from "./user_source.ts";
import type { AccountStore } from "./account_store.ts";
import type { AttemptStore } from "./attempt_store.ts";
import type { AccessLog, CounterStore } from "./record_store.ts";

/** Values that SET kept. */
export interface SettingStore {
  all(): Promise<ReadonlyMap<string, string>>;
  /** Keeps a value; it is on the disk when this has settled. */
  set(key: string, value: string): Promise<void>;
  /** Forgets a value. Returns whether there was one. */
  delete(key: string): Promise<boolean>;
}

/** What is known of users besides their secrets, by name and field; also of users whom only a passwd-file or a hook knows. */
export interface UserFieldStore {
  /** A user's fields; in no time while nobody has any. */
  find(name: string): Promise<ReadonlyMap<string, string>>;
  /** Sets a field, or takes it away where `value` is undefined; it is on the disk when this has settled. */
  set(name: string, field: string, value: string | undefined): Promise<void>;
  /** Forgets all fields of a user. */
  forget(name: string): Promise<void>;
}

/** What belongs to this installation, made at its first start. */
export interface Installation {
  /** 32 random octets: keys what must be steady and not guessed. */
  secret(): Promise<Uint8Array>;
  /**
   * Reserves numbers for sessions.
   *
   * @returns the first of `count` numbers that were never given out before
   */
  reserveSessions(count: number): Promise<number>;
  /** The mail folders that were served, by their paths without symbolic links. */
  mailFolders(): Promise<ReadonlySet<string>>;
  /** Keeps that a mail folder was served; it is on the disk when this has settled. */
  keepMailFolder(path: string): Promise<void>;
  /** How long the server has run, as it was last kept; undefined where it never was. */
  runningTime(): Promise<KeptRunning | undefined>;
  /** Keeps it. A power cut may take back the last ones, a kill none. */
  keepRunningTime(kept: KeptRunning): Promise<void>;
}

/** For how long a server has run, over all its runs, at some moment. */
export interface KeptRunning {
  /** Names the count: another state has another one. 16 hexadecimal digits. */
  readonly id: string;
  /** Milliseconds that the server has seen pass. */
  readonly running: number;
  /** The wall clock then, milliseconds since 1970. */
  readonly wall: number;
}

/**
 * All that a server remembers. Every method is one transaction by itself: it is made whole or not at all, and one that has
 * settled is on the disk, but for the notes of {@linkcode AccessLog}, the totals of {@linkcode CounterStore} and all of
 * {@linkcode AttemptStore}, which a power cut may take back by some seconds, and a kill by one (what attempts led to, by nothing). Methods reject with {@linkcode StateStoreError} when the state cannot be read or
 * written; nothing was changed then. Disposing writes what is noted and lets go.
 */
export interface StateStore extends AsyncDisposable {
  readonly users: AccountStore;
  readonly administrators: AccountStore;
  readonly learned: LearnedKeysStore;
  readonly fields: UserFieldStore;
  readonly settings: SettingStore;
  readonly accesses: AccessLog;
  readonly counters: CounterStore;
  readonly attempts: AttemptStore;
  readonly installation: Installation;
  /** Writes all notes now. */
  flush(): Promise<void>;
}

/** A state that can be copied while it is used. */
export interface BackupSource {
  /**
   * Writes all that the state has at one moment into a file, which must be finished before it is a state of its own.
   *
   * @param target an empty file
   * @param signal ends it
   * @throws {StateStoreError} when it cannot be read, or a copy is under way
   * @throws {Error} when the target cannot be written, or the signal is aborted
   */
  copyTo(target: string, signal?: AbortSignal): Promise<void>;
}

/** Why a state could not be opened or used. */
export type StateTrouble =
  /** Another process has it. */
  | "held"
  /** It is not Postern's. */
  | "foreign"
  | "newer"
  /** It is not what was written. */
  | "corrupt"
  /** It has no content: it was truncated, or made by hand. */
  | "empty"
  | "full"
  /** The disk fails. */
  | "io"
  /** The database cannot be reached, or does not answer. */
  | "unreachable"
  /** It answers, and takes no writes. */
  | "read-only"
  /** Others were at the same thing too long, or it takes no more connections. */
  | "busy"
  | "unusable";

/** The state cannot be opened, read or written; the message is a sentence for people, naming the file. */
export class StateStoreError extends ExpectedError {
  override name = "StateStoreError";
  /** What kind of trouble it is. */
  readonly trouble: StateTrouble;

  /**
   * Makes an error.
   *
   * @param trouble what kind it is
   * @param message what happened, what was expected, what to do
   */
  constructor(trouble: StateTrouble, message: string, options?: ErrorOptions) {
    super(message, options);
    this.trouble = trouble;
  }
}
