/** What the main thread and the thread that runs transformers say to each other. */

import type { MessageFile } from "../../contracts/mail_store.ts";
import type { TransformerFailure } from "../../contracts/transformer.ts";

/** Why a run failed; errors lose their class on the way between threads. */
export interface RunFailure {
  /** `moved`: the message's file has another name by now, and no program was started. */
  readonly reason: TransformerFailure | "moved";
  readonly message: string;
}

/** A program to start. */
export interface RunOrder {
  /** Names the run; no other run of the program has or had it. */
  readonly run: number;
  /** The program's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly file: MessageFile;
  /** Where the output goes. */
  readonly ring: SharedArrayBuffer;
  /** Milliseconds that the program may be silent while the client would take more; 0 for ever. */
  readonly timeout: number;
  /** Milliseconds that output may wait to be taken; 0 for ever. */
  readonly takeTimeout: number;
}

/** How a run ended. */
export interface RunEnd {
  readonly failure: RunFailure | undefined;
  /** The beginning of standard error, printable. */
  readonly stderrTail: string;
  readonly milliseconds: number;
}

/** From the main thread. */
export type ToTransformer =
  | {
    readonly type: "setup";
    /** The absolute path of the program, and its arguments. */
    readonly command: readonly [string, ...string[]];
    /** Shared by all threads that start programs, and this one's number there. */
    readonly spawnLock: SharedArrayBuffer;
    readonly spawner: number;
  }
  | { readonly type: "ping" }
  | { readonly type: "start"; readonly order: RunOrder }
  /** End a run, as failed where `failure` is given. */
  | { readonly type: "end"; readonly run: number; readonly failure: RunFailure | undefined }
  /** What was left of the run's process group is gone. */
  | { readonly type: "group-ended"; readonly run: number };

/** To the main thread. */
export type FromTransformer =
  /** Answers each `ping`. */
  | { readonly type: "pong" }
  | { readonly type: "started"; readonly run: number; readonly pid: number }
  /** End what is left of the run's process group, which takes the right to signal any process. */
  | { readonly type: "end-group"; readonly run: number }
  /** The output is broken; how the run ended is told when nobody of it is left. */
  | { readonly type: "broken"; readonly run: number; readonly failure: RunFailure }
  | { readonly type: "ended"; readonly run: number; readonly end: RunEnd }
  /** An error that nothing caught. */
  | { readonly type: "died"; readonly message: string; readonly stack: string | undefined };
