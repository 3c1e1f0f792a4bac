/** The main thread's end of the thread that runs transformers: passes orders on, ends process groups, and tells how runs ended. */

import type { LocalProcessGroups } from "../../transform/local_process_groups.ts";
import type { WorkerPermissions } from "../worker_permissions.ts";
import type { FromTransformer, RunEnd, RunFailure, RunOrder, ToTransformer } from "./messages.ts";

/** What the thread is made with. */
export interface TransformerHandleOptions {
  /** The absolute path of the program, and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly permissions: WorkerPermissions;
  readonly groups: LocalProcessGroups;
  /** Shared by all threads that start programs, and this one's number there. */
  readonly spawnLock: SharedArrayBuffer;
  readonly spawner: number;
  /** Told once when the thread has died of an error; all its runs have been told as ended. */
  readonly died: (error: Error) => void;
}

/** What is told of a run: each once, `started` and `broken` not of every run, `ended` last. */
export interface RunListener {
  started(pid: number): void;
  /** Its output is broken; what was written before is not whole. */
  broken(failure: RunFailure): void;
  /** Nobody of the program is left. */
  ended(end: RunEnd, pid: number | undefined): void;
}

/**
 * Milliseconds between two looks whether the thread has gone on while it has runs, and how many in a row may show that it has not: opening a
 * message on a dead file server stops it. Starting takes longer on a busy machine.
 */
const LOOK_MS = 1000;
const MOST_SILENT = 10;
const MOST_SILENT_AT_START = 60;

interface Run {
  readonly listener: RunListener;
  readonly begun: number;
  pid: number | undefined;
}

/** A thread that runs one program on messages. Disposing ends it. */
export class TransformerHandle implements Disposable {
  readonly #options: TransformerHandleOptions;
  readonly #worker: Worker;
  readonly #runs = new Map<number, Run>();
  #last = 0;
  #gone = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Looks since the thread was asked for a sign of life; undefined when it was not. */
  #silent: number | undefined;
  #hasAnswered = false;

  constructor(options: TransformerHandleOptions) {
    this.#options = options;
    const { command, permissions, spawner, spawnLock } = options;
    this.#worker = new Worker(new URL("./transformer_thread.ts", import.meta.url).href, {
      type: "module",
      name: "transformer",
      deno: { permissions },
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FromTransformer>) => this.#obey(data);
    this.#worker.onerror = (event) => {
      // Else the main thread would end with it.
      event.preventDefault();
      this.#die(new Error(event.message));
    };
    this.#post({ type: "setup", command, spawnLock, spawner });
  }

  /** Starts a program. Returns what ends it. */
  start(
    order: Omit<RunOrder, "run">,
    listener: RunListener,
  ): (failure: RunFailure | undefined) => void {
    const run = ++this.#last;
    this.#runs.set(run, { listener, begun: performance.now(), pid: undefined });
    if (this.#gone) queueMicrotask(() => this.#endRun(run, GONE));
    else this.#post({ type: "start", order: { ...order, run } });
    if (!this.#gone && this.#timer === undefined) {
      this.#timer = setInterval(() => this.#look(), LOOK_MS);
      this.#look();
    }
    return (failure) => this.#post({ type: "end", run, failure });
  }

  [Symbol.dispose](): void {
    this.#close(GONE);
  }

  #post(message: ToTransformer): void {
    if (!this.#gone) this.#worker.postMessage(message);
  }

  #obey(message: FromTransformer): void {
    if (this.#gone) return;
    if (message.type === "died") {
      return this.#die(Object.assign(new Error(message.message), { stack: message.stack }));
    }
    if (message.type === "pong") {
      this.#hasAnswered = true;
      this.#silent = undefined;
      return;
    }
    const run = this.#runs.get(message.run);
    if (run === undefined) return;
    switch (message.type) {
      case "started":
        run.pid = message.pid;
        this.#options.groups.started(message.pid);
        return run.listener.started(message.pid);
      case "end-group":
        return void this.#endGroup(message.run, run.pid);
      case "broken":
        return run.listener.broken(message.failure);
      case "ended":
        this.#runs.delete(message.run);
        return run.listener.ended(message.end, run.pid);
    }
  }

  #look(): void {
    if (this.#runs.size === 0) return this.#rest();
    if (this.#silent === undefined) {
      this.#silent = 0;
      return this.#post({ type: "ping" });
    }
    if (++this.#silent < (this.#hasAnswered ? MOST_SILENT : MOST_SILENT_AT_START)) return;
    this.#die(new Error("A file call of it hangs"));
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#silent = undefined;
  }

  async #endGroup(run: number, pid: number | undefined): Promise<void> {
    if (pid !== undefined) await this.#options.groups.end(pid);
    this.#post({ type: "group-ended", run });
  }

  #die(error: Error): void {
    if (this.#gone) return;
    this.#close({ reason: "internal", message: "The thread that runs transformers died" });
    this.#options.died(error);
  }

  /** Leaves no program running, and nobody waiting. */
  #close(failure: RunFailure): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#rest();
    this.#worker.terminate();
    for (const run of [...this.#runs.keys()]) this.#endRun(run, failure);
  }

  #endRun(run: number, failure: RunFailure): void {
    const { begun, listener, pid } = this.#runs.get(run)!;
    this.#runs.delete(run);
    if (pid !== undefined) void this.#options.groups.end(pid);
    listener.broken(failure);
    listener.ended({ failure, stderrTail: "", milliseconds: performance.now() - begun }, pid);
  }
}

/** Said of runs that a thread leaves when it is ended; nobody should be there to hear it. */
const GONE: RunFailure = {
  reason: "cancelled",
  message: "The transformer was set to another program",
};
