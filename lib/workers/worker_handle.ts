/** The main thread's end of a session worker: starts it, holds what it says against what can be, and cleans up behind it. */

import { type Clock, systemClock } from "../async/clock.ts";
import type { Logging } from "../log/logging.ts";
import type { CertificateMaterial } from "../net/certificates.ts";
import type { HeldFolders } from "../contracts/held_folders.ts";
import type { CloseReason, Observer } from "../contracts/event.ts";
import type { Turns } from "../async/semaphore.ts";
import type { LocalLoginService } from "../auth/local_login_service.ts";
import { MessageBudget } from "./message_budget.ts";
import type { Call, FromWorker, ToWorker, WorkerSetup, WorkerState } from "./messages.ts";
import { ListenError } from "../net/start_error.ts";
import { WorkerCalls } from "./worker_calls.ts";
import { type StartProgram, WorkerRuns } from "./worker_runs.ts";
import { markLine } from "./worker_log.ts";
import type { MailWorkers } from "./mail/mail_workers.ts";
import { readWorkerMessage } from "./worker_messages.ts";
import type { WorkerPermissions } from "./worker_permissions.ts";
import { FalseStatementError, WorkerSessions } from "./worker_sessions.ts";

/** Messages that a worker may send at once and each second, beside those for its sessions. */
const MESSAGES = { most: 100_000, perSecond: 5000 };
/** Messages for each session: most need four. */
const MESSAGES_PER_SESSION = 50;
/** Log lines: twice what a worker lets itself send. */
const LOG_LINES = { most: 40_000, perSecond: 10_000 };

/** Milliseconds between two questions whether a worker still answers, and how many in a row may stay without an answer. */
const PULSE_MS = 10_000;
const MOST_MISSED = 6;

/** What a worker is served with. */
export interface WorkerHandleOptions {
  readonly loginService: LocalLoginService;
  readonly turns: Turns;
  /** Starts the transformer's program, where there is one. */
  readonly startProgram: StartProgram | undefined;
  /** Works in held folders of the worker's mail folder. */
  readonly held: HeldFolders;
  /** Serve slow mailboxes for the worker; they end with it. */
  readonly mailWorkers: MailWorkers;
  /** The folders of mailboxes, absolute paths. */
  readonly folders: readonly string[];
  /** The transformer's PATH. */
  readonly path: string;
  readonly logging: Pick<Logging, "accept">;
  readonly permissions: WorkerPermissions;
  readonly setup: WorkerSetup;
  /** How many sessions there may be in all workers. */
  readonly maxConnections: () => number;
  /** Told once when the thread is gone: drained, or dead of an error. */
  readonly ended: (error: Error | undefined) => void;
  /** The thread's program. @default "session_worker.ts" beside this file */
  readonly script?: URL;
  /** Milliseconds between two questions whether it still answers. @default {10000} */
  readonly pulse?: number;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/** One worker, from its start to its end. */
export class WorkerHandle {
  readonly #options: WorkerHandleOptions;
  readonly #clock: Clock;
  readonly #worker: Worker;
  readonly #sessions: WorkerSessions;
  readonly #calls: WorkerCalls;
  readonly #runs: WorkerRuns;
  readonly #messages = new MessageBudget(MESSAGES);
  readonly #logLines = new MessageBudget(LOG_LINES);
  readonly #listening = Promise.withResolvers<void>();
  readonly #retired = Promise.withResolvers<void>();
  #pulse: ReturnType<typeof setInterval> | undefined;
  /** Those who wait for a `told`, in the order in which they are answered. */
  #untold: (() => void)[] = [];
  #phase: "starting" | "listening" | "serving" | "draining" | "gone" = "starting";
  #missed = 0;

  /** Starts the thread. */
  constructor(options: WorkerHandleOptions) {
    this.#options = options;
    const { clock = systemClock, loginService, maxConnections, setup } = options;
    this.#clock = clock;
    const sessions = new WorkerSessions({ prefix: setup.sessionPrefix, maxConnections, clock });
    const post = (message: ToWorker): void => this.#post(message);
    const runs = new WorkerRuns({
      turns: options.turns,
      sessions,
      start: options.startProgram,
      folders: options.folders,
      path: options.path,
      settings: () => loginService.settings,
      observe: (event) => loginService.observe(event),
      post,
    });
    this.#sessions = sessions;
    this.#runs = runs;
    this.#calls = new WorkerCalls({
      loginService,
      sessions,
      runs,
      held: options.held,
      mailWorkers: options.mailWorkers,
      lost: (session) => post({ type: "lost", session }),
    });
    const script = options.script ?? new URL("./thread/session_worker.ts", import.meta.url);
    this.#worker = new Worker(script.href, {
      type: "module",
      name: setup.sessionPrefix,
      deno: { permissions: options.permissions },
    });
    this.#worker.onmessage = ({ data }: MessageEvent<unknown>) => this.#take(data);
    this.#worker.onerror = (event) => {
      // Else the main thread would end with it.
      event.preventDefault();
      this.#end(new Error(event.message));
    };
    this.#worker.onmessageerror = () =>
      this.#end(new Error("A message of a worker could not be read"));
    this.#post({ type: "setup", setup });
  }

  /** Settles when all its ports are open. @throws {ListenError} when one cannot be opened */
  get listening(): Promise<void> {
    return this.#listening.promise;
  }

  /** How many sessions it has. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Lets it serve. */
  start(): void {
    if (this.gone) return;
    if (this.#phase === "listening") this.#phase = "serving";
    this.#post({ type: "start" });
    this.#pulse ??= setInterval(() => this.#feelPulse(), this.#options.pulse ?? PULSE_MS);
  }

  /** Tells it what has changed. */
  update(state: WorkerState): void {
    this.#post({ type: "state", state });
  }

  /** Gives it other certificates, which the main thread has tried. */
  renewCertificates(certificates: readonly CertificateMaterial[]): void {
    this.#post({ type: "certificates", certificates });
  }

  /** Ends a session if it is one of its own. */
  close(session: string, reason: CloseReason): boolean {
    if (!this.#sessions.has(session)) return false;
    this.#post({ type: "close", session, reason });
    return true;
  }

  /** Resolves when all that has happened in its sessions by now was heard of, or the thread is gone. */
  caughtUp(): Promise<void> {
    if (this.gone) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#untold.push(resolve);
    this.#post({ type: "tell" });
    return promise;
  }

  /** Accepts no more; ends when the last session has. Those who have connected already are served, or refused. */
  drain(backlog: "serve" | "refuse"): void {
    if (!this.gone) this.#phase = "draining";
    this.#post({ type: "drain", backlog });
  }

  /** Settles when its ports are closed for good. */
  get retired(): Promise<void> {
    return this.#retired.promise;
  }

  /** Whether the thread is gone. */
  get gone(): boolean {
    return this.#phase === "gone";
  }

  /** Ends the thread where it stands. */
  terminate(error?: Error): void {
    this.#end(error);
  }

  /** Ends the sessions that are left. */
  end(): void {
    this.#post({ type: "end" });
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    if (!this.gone) this.#worker.postMessage(message, transfer);
  }

  /** A thread that closed itself, or never comes to its messages, would keep its sessions and their locks for ever. */
  #feelPulse(): void {
    if (this.#untold.length > 0 && ++this.#missed >= MOST_MISSED) {
      return this.#end(new Error("It has not answered for too long"));
    }
    if (this.#untold.length === 0) void this.caughtUp();
  }

  /** Nothing that comes is believed, and whoever sends what cannot be is not listened to any more: docs/decisions/0103. */
  #take(data: unknown): void {
    if (this.gone) return;
    try {
      if (!this.#messages.take()) throw new FalseStatementError("It sends too many messages");
      this.#obey(readWorkerMessage(data));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      this.#end(new Error(`It said what no session worker says: ${why}`, { cause }));
    }
  }

  #obey(message: FromWorker): void {
    switch (message.type) {
      case "listening":
        this.#expect("starting");
        this.#phase = "listening";
        return this.#listening.resolve();
      case "failed":
        this.#expect("starting");
        this.#listening.reject(new ListenError(message));
        return this.#end(undefined);
      case "died":
        return this.#end(Object.assign(new Error(message.message), { stack: message.stack }));
      case "log":
        if (!this.#logLines.take()) throw new FalseStatementError("It logs too much");
        this.#messages.add(1);
        return this.#options.logging.accept(
          markLine(message.line, this.#options.setup.sessionPrefix),
        );
      case "told":
        return this.#told();
      default:
        this.#expect("serving", "draining");
        return this.#serve(message);
    }
  }

  #serve(
    message: Exclude<FromWorker, { type: "listening" | "failed" | "died" | "log" | "told" }>,
  ): void {
    switch (message.type) {
      case "call":
        this.#sessions.take(message.events, this.#observe);
        this.#calls.check(message);
        return void this.#answer(message);
      case "cancel":
        return this.#calls.cancel(message.call);
      case "events":
        this.#sessions.take(message.events, this.#observe);
        if (message.release !== undefined) this.#calls.release(message.release);
        return;
      case "leave-turn":
        return this.#runs.leave(message.turn);
      case "start-run":
        return this.#runs.start(message.start);
      case "end-run":
        return this.#runs.end(message.turn, message.cancelled);
      case "retired":
        this.#expect("draining");
        return this.#retired.resolve();
      case "drained":
        this.#expect("draining");
        return this.#end(undefined);
    }
  }

  #expect(...phases: readonly string[]): void {
    if (!phases.includes(this.#phase)) {
      throw new FalseStatementError(`It says that while it is ${this.#phase}`);
    }
  }

  #told(): void {
    const resolve = this.#untold.shift();
    if (resolve === undefined) throw new FalseStatementError("It answers what nobody has asked");
    this.#missed = 0;
    resolve();
  }

  readonly #observe: Observer = (event) => {
    if (event.type === "connected") this.#messages.add(MESSAGES_PER_SESSION);
    else if (event.type === "disconnected") {
      this.#calls.sessionEnded(event.session);
      this.#runs.sessionEnded(event.session);
    }
    this.#options.loginService.observe(event);
  };

  async #answer(question: Call): Promise<void> {
    const { call } = question;
    try {
      const value = await this.#calls.answer(question);
      this.#post({ type: "answer", call, value }, value instanceof MessagePort ? [value] : []);
    } catch (error) {
      const { message } = error instanceof Error ? error : new Error(String(error));
      this.#post({ type: "failure", call, message });
    }
  }

  /** Leaves nothing behind: no lock, no turn, no program, no session that counts as live. */
  #end(error: Error | undefined): void {
    if (this.gone) return;
    this.#phase = "gone";
    clearInterval(this.#pulse);
    this.#worker.terminate();
    this.#retired.resolve();
    for (const resolve of this.#untold.splice(0)) resolve();
    this.#listening.reject(error ?? new Error("The worker ended before it listened"));
    this.#listening.promise.catch(() => undefined); // Whoever waited for it has been told.
    const { loginService } = this.#options;
    for (const session of this.#sessions.names()) {
      loginService.observe({
        type: "disconnected",
        session,
        at: this.#clock.wall(),
        reason: "error",
      });
    }
    this.#calls.end();
    this.#runs.endAll();
    this.#options.mailWorkers[Symbol.dispose]();
    this.#options.ended(error);
  }
}
