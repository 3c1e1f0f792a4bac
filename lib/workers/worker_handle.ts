/** The main thread's end of a session worker: starts it, answers its questions, and cleans up behind it. */

import { type Clock, systemClock } from "../async/clock.ts";
import type { CertificateMaterial } from "../net/certificates.ts";
import type { CloseReason, Observer } from "../contracts/event.ts";
import type { Logging } from "../log/logging.ts";
import type { LocalProcessGroups } from "../transform/local_process_groups.ts";
import type { Turns } from "../async/semaphore.ts";
import type { Lease } from "../contracts/login_service.ts";
import type { LocalLoginService } from "../auth/local_login_service.ts";
import type {
  Call,
  FromWorker,
  MainMethods,
  RemoteLoginOutcome,
  ToWorker,
  WorkerSetup,
  WorkerState,
} from "./messages.ts";
import { unpackEvents } from "./packed_events.ts";
import { ListenError } from "../net/start_error.ts";
import type { WorkerPermissions } from "./worker_permissions.ts";

/** What a worker is served with. */
export interface WorkerHandleOptions {
  readonly loginService: LocalLoginService;
  readonly turns: Turns;
  readonly groups: LocalProcessGroups;
  readonly logging: Pick<Logging, "accept">;
  readonly permissions: WorkerPermissions;
  readonly setup: WorkerSetup;
  /** Told once when the thread is gone: drained, or dead of an error. */
  readonly ended: (error: Error | undefined) => void;
  /** The thread's program. @default "session_worker.ts" beside this file */
  readonly script?: URL;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/** One worker, from its start to its end. */
export class WorkerHandle {
  readonly #options: WorkerHandleOptions;
  readonly #worker: Worker;
  readonly #leases = new Map<string, Lease>();
  /** By the question that each was given for. */
  readonly #turns = new Map<number, Disposable>();
  /** Questions that may wait for long, and can be taken back. */
  readonly #calls = new Map<number, AbortController>();
  readonly #groups = new Set<number>();
  /** Sessions that have begun here and not ended. */
  readonly #sessions = new Set<string>();
  readonly #listening = Promise.withResolvers<readonly Deno.NetAddr[]>();
  readonly #retired = Promise.withResolvers<void>();
  /** Those who wait for a `told`, in the order in which they are answered. */
  #untold: (() => void)[] = [];
  #gone = false;

  /** Starts the thread. */
  constructor(options: WorkerHandleOptions) {
    this.#options = options;
    const script = options.script ?? new URL("./thread/session_worker.ts", import.meta.url);
    this.#worker = new Worker(script.href, {
      type: "module",
      name: options.setup.sessionPrefix,
      deno: { permissions: options.permissions },
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#obey(data);
    this.#worker.onerror = (event) => {
      // Else the main thread would end with it.
      event.preventDefault();
      this.#end(new Error(event.message));
    };
    this.#worker.onmessageerror = () =>
      this.#end(new Error("A message of a worker could not be read"));
    this.#post({ type: "setup", setup: options.setup });
  }

  /** Settles when all its ports are open, with their addresses. @throws {ListenError} when one cannot be opened */
  get listening(): Promise<readonly Deno.NetAddr[]> {
    return this.#listening.promise;
  }

  /** How many sessions it has. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Lets it serve. */
  start(): void {
    this.#post({ type: "start" });
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
    if (this.#gone) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#untold.push(resolve);
    this.#post({ type: "tell" });
    return promise;
  }

  /** Accepts no more; ends when the last session has. Those who have connected already are served, or refused. */
  drain(backlog: "serve" | "refuse"): void {
    this.#post({ type: "drain", backlog });
  }

  /** Settles when its ports are closed for good. */
  get retired(): Promise<void> {
    return this.#retired.promise;
  }

  /** Whether the thread is gone. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Ends the thread where it stands. */
  terminate(error?: Error): void {
    this.#end(error);
  }

  /** Ends the sessions that are left. */
  end(): void {
    this.#post({ type: "end" });
  }

  #post(message: ToWorker): void {
    if (!this.#gone) this.#worker.postMessage(message);
  }

  #obey(message: FromWorker): void {
    switch (message.type) {
      case "listening":
        return this.#listening.resolve(message.addresses);
      case "failed":
        this.#listening.reject(new ListenError(message));
        return this.#end(undefined);
      case "call":
        return void this.#answer(message);
      case "cancel":
        return this.#takeBack(message.call);
      case "events":
        unpackEvents(message.events, this.#observe);
        if (message.release !== undefined) void this.#release(message.release);
        return;
      case "told":
        return this.#untold.shift()?.();
      case "leave-turn":
        return this.#leaveTurn(message.turn);
      case "group-started":
        this.#groups.add(message.pid);
        return this.#options.groups.started(message.pid);
      case "log":
        return this.#options.logging.accept(message.line);
      case "retired":
        return this.#retired.resolve();
      case "drained":
        return this.#end(undefined);
      case "died":
        return this.#end(Object.assign(new Error(message.message), { stack: message.stack }));
    }
  }

  readonly #observe: Observer = (event) => {
    if (event.type === "connected") this.#sessions.add(event.session);
    else if (event.type === "disconnected") this.#sessions.delete(event.session);
    this.#options.loginService.observe(event);
  };

  async #answer(question: Call): Promise<void> {
    const { call } = question;
    try {
      this.#post({ type: "answer", call, value: await this.#carryOut(question) });
    } catch (error) {
      const { message } = error instanceof Error ? error : new Error(String(error));
      this.#post({ type: "failure", call, message });
    }
  }

  #carryOut(question: Call): ReturnType<MainMethods[keyof MainMethods]> {
    const { loginService } = this.#options;
    switch (question.method) {
      case "admit":
        return loginService.admit(...question.args);
      case "scramParameters":
        return loginService.scramParameters(...question.args);
      case "login":
        return this.#login(...question.args);
      case "enterTurn":
        return this.#enterTurn(question.call);
      case "endGroup":
        return this.#endGroup(...question.args);
    }
  }

  async #login(
    ...[identity, credentials]: Parameters<MainMethods["login"]>
  ): Promise<RemoteLoginOutcome> {
    return this.#keep(
      identity.session,
      await this.#options.loginService.login(identity, credentials),
    );
  }

  /** The answer may be on its way: then nobody over there learns that there is a turn to give back. */
  #takeBack(call: number): void {
    this.#calls.get(call)?.abort();
    this.#leaveTurn(call);
  }

  async #enterTurn(call: number): Promise<number> {
    const controller = new AbortController();
    this.#calls.set(call, controller);
    try {
      const turn = await this.#options.turns.enter(controller.signal);
      // A worker that died or asked no more meanwhile gives no turn back.
      if (controller.signal.aborted) {
        turn[Symbol.dispose]();
        throw controller.signal.reason;
      }
      this.#turns.set(call, turn);
      return call;
    } finally {
      this.#calls.delete(call);
    }
  }

  async #endGroup(pid: number): Promise<void> {
    if (this.#groups.delete(pid)) await this.#options.groups.end(pid);
  }

  /** The lease stays here, where it can be given back for a worker that dies. */
  #keep(
    session: string,
    outcome: Awaited<ReturnType<LocalLoginService["login"]>>,
  ): RemoteLoginOutcome {
    if (outcome.kind === "refused") return outcome;
    const { lease, ...granted } = outcome;
    if (this.#gone) {
      void lease[Symbol.asyncDispose]();
      return granted;
    }
    this.#leases.set(session, lease);
    lease.onLost(() => this.#post({ type: "lost", session }));
    return granted;
  }

  async #release(session: string): Promise<void> {
    const lease = this.#leases.get(session);
    this.#leases.delete(session);
    await lease?.[Symbol.asyncDispose]();
  }

  #leaveTurn(turn: number): void {
    this.#turns.get(turn)?.[Symbol.dispose]();
    this.#turns.delete(turn);
  }

  /** Leaves nothing behind: no lock, no turn, no program, no session that counts as live. */
  #end(error: Error | undefined): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#worker.terminate();
    this.#retired.resolve();
    for (const resolve of this.#untold) resolve();
    this.#untold = [];
    this.#listening.reject(error ?? new Error("The worker ended before it listened"));
    this.#listening.promise.catch(() => undefined); // Whoever waited for it has been told.
    const { loginService, groups, clock = systemClock } = this.#options;
    for (const controller of this.#calls.values()) controller.abort();
    for (const session of this.#sessions) {
      loginService.observe({ type: "disconnected", session, at: clock.wall(), reason: "error" });
    }
    for (const lease of this.#leases.values()) void lease[Symbol.asyncDispose]();
    for (const turn of this.#turns.values()) turn[Symbol.dispose]();
    for (const pid of this.#groups) void groups.end(pid);
    this.#options.ended(error);
  }
}
