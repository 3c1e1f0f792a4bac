/** What the main thread and a session worker say to each other. */

import type { RunningMoment } from "../async/running_time.ts";
import type { CertificateMaterial } from "../net/certificates.ts";
import type { CloseReason } from "../contracts/event.ts";
import type { LogLine } from "../log/logging.ts";
import type { SessionSettings } from "../contracts/settings.ts";
import type {
  Credentials,
  LoginOutcome,
  ScramParameters,
  SessionIdentity,
} from "../contracts/login_service.ts";
import type { TraceTarget } from "../contracts/trace.ts";
import type { MessageFile } from "../contracts/mail_store.ts";
import type { UserRecord } from "../contracts/user_record.ts";
import type { MailRoots } from "../mail/places/mail_roots.ts";
import type { PackedEvents } from "./packed_events.ts";
import type { RunFailure } from "./transformer/messages.ts";
import type { ListenOptions } from "../net/endpoint.ts";

/** What changes while a worker runs. */
export interface WorkerState {
  readonly settings: SessionSettings;
  readonly scramForAll: boolean;
  /** Whether bearer tokens can be checked. */
  readonly bearer: boolean;
  /** Whether each connection must be asked for: some address is banned. */
  readonly asks: boolean;
  /** Whether locks are shared with other machines, so that giving one back is waited for. */
  readonly sharedLocks: boolean;
  /** Whose sessions administrators trace. */
  readonly traces?: readonly TraceTarget[] | undefined;
}

/** What a worker is started with. */
export interface WorkerSetup {
  readonly state: WorkerState;
  readonly listen: readonly ListenOptions[];
  /** Begins the names of this worker's sessions; no other worker has it or had it. */
  readonly sessionPrefix: string;
  /** Which of the threads this worker is in what follows, which all workers share. */
  readonly thread: number;
  /** Counters of connection slots. */
  readonly slots: SharedArrayBuffer;
  /** How many connections each client network has. */
  readonly addresses: SharedArrayBuffer;
  /** Whether messages go through a transformer. */
  readonly transforms: boolean;
  /** The user id of the process. */
  readonly account: number;
  /** Where mailboxes may lie. */
  readonly roots: MailRoots;
  /** The server's running time when this is sent. */
  readonly running: RunningMoment;
  /** Certificates and keys, read by the main thread; empty for no TLS. */
  readonly certificates: readonly CertificateMaterial[];
}

/** A granted login without what cannot be sent: the worker makes the lease. */
export type RemoteLoginOutcome =
  | {
    readonly kind: "granted";
    readonly user: string;
    readonly record?: UserRecord;
    readonly readOnly?: boolean;
    readonly serverSignature?: Uint8Array;
  }
  | Extract<LoginOutcome, { kind: "refused" }>;

/** How work in held folders ended; without a reason, there is no program for it. */
export type HeldFoldersAnswer =
  | { readonly kind: "done"; readonly octets: Uint8Array<ArrayBuffer> }
  | { readonly kind: "failed"; readonly why: string | undefined };

/** What a worker asks of the main thread, with what comes back. */
export interface MainMethods {
  admit(identity: SessionIdentity): Promise<"banned" | undefined>;
  scramParameters(user: string): Promise<ScramParameters | undefined>;
  login(identity: SessionIdentity, credentials: Credentials): Promise<RemoteLoginOutcome>;
  /** For how many milliseconds, from the question on, nobody else can take a session's lock. */
  claimLease(session: string): Promise<number>;
  /** Gives a session's lock back; answered when others can take it. Where the lock is this process's own, the message `events` does. */
  releaseLease(session: string, ending: CloseReason): Promise<void>;
  /** Waits for one of `max_transformers` turns; the answer names it: by the number of the question. */
  enterTurn(session: string): Promise<number>;
  /** Starts a thread that serves slow mailboxes; the answer is the port to it. */
  openMailThread(): Promise<MessagePort>;
  /** Whether a device is a file system of another machine, or of a program. */
  isRemote(device: number): Promise<boolean>;
  /** Works in folders of the mail folder that are held open; what is asked is checked by the program that does it. */
  holdFolders(
    request: Uint8Array<ArrayBuffer>,
    root: string | undefined,
  ): Promise<HeldFoldersAnswer>;
}

/** A question, by its number, which is higher than those of all questions before. */
export type Call<K extends keyof MainMethods = keyof MainMethods> = {
  [M in K]: {
    readonly type: "call";
    readonly call: number;
    readonly method: M;
    readonly args: Parameters<MainMethods[M]>;
    /** What happened before the question: whoever asks for a session has told of it. */
    readonly events: PackedEvents;
  };
}[K];

/** A transformer to start on a message. */
export interface RunStart {
  readonly turn: number;
  /** The message's unique-id. */
  readonly uid: string;
  readonly file: MessageFile;
  /** Where the output goes: ringMemory() of lib/transform/output_ring.ts. */
  readonly ring: SharedArrayBuffer;
}

/**
 * From a worker to the main thread, which believes none of it (docs/decisions/0103): the shape is checked in worker_messages.ts, what
 * is said of sessions in worker_sessions.ts.
 */
export type FromWorker =
  /** All its ports are open. */
  | { readonly type: "listening" }
  | {
    readonly type: "failed";
    readonly name: string;
    readonly message: string;
    readonly where: ListenOptions | undefined;
  }
  | Call
  /** Nobody waits for the answer any more; a turn that was given for it meanwhile is given back. */
  | { readonly type: "cancel"; readonly call: number }
  /** What happened, and then perhaps: the session that gives its lock back. */
  | {
    readonly type: "events";
    readonly events: PackedEvents;
    readonly release: string | undefined;
  }
  /** All that had happened when the main thread said `tell` has been told. */
  | { readonly type: "told" }
  /** A turn for which no program is started. */
  | { readonly type: "leave-turn"; readonly turn: number }
  | { readonly type: "start-run"; readonly start: RunStart }
  /** End a turn's program, as failed by the session's end where `cancelled` is true. */
  | { readonly type: "end-run"; readonly turn: number; readonly cancelled: boolean }
  | { readonly type: "log"; readonly line: LogLine }
  /** An error that nothing caught: the thread cannot be trusted any more. */
  | { readonly type: "died"; readonly message: string; readonly stack: string | undefined }
  /** Its ports are closed. */
  | { readonly type: "retired" }
  | { readonly type: "drained" };

/** From the main thread to a worker. */
export type ToWorker =
  | { readonly type: "setup"; readonly setup: WorkerSetup }
  | { readonly type: "start" }
  | { readonly type: "state"; readonly state: WorkerState }
  | { readonly type: "certificates"; readonly certificates: readonly CertificateMaterial[] }
  | { readonly type: "answer"; readonly call: number; readonly value: unknown }
  | { readonly type: "failure"; readonly call: number; readonly message: string }
  | { readonly type: "lost"; readonly session: string }
  /** The output of a turn's program is broken: what was written before is not whole. */
  | { readonly type: "run-broken"; readonly turn: number; readonly failure: RunFailure }
  /** Nobody of a turn's program is left. */
  | {
    readonly type: "run-ended";
    readonly turn: number;
    readonly failure: RunFailure | undefined;
  }
  | { readonly type: "close"; readonly session: string; readonly reason: CloseReason }
  /** Send the events that wait for others now, and then `told`. */
  | { readonly type: "tell" }
  /** Accept no more, and let sessions come to their end; those who have connected already are served, or refused. */
  | { readonly type: "drain"; readonly backlog: "serve" | "refuse" }
  /** End what is left. */
  | { readonly type: "end" };
