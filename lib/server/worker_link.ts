/** The main thread's end of a session worker: starts it, answers its questions, and cleans up behind it. */

import type { CertificateMaterial } from "../net/certificates.ts";
import type { ServerEvent } from "../observe/event.ts";
import type { Logging } from "../observe/logging.ts";
import type { LocalProcessGroups } from "../transform/local_process_groups.ts";
import type { Turns } from "../transform/turnstile.ts";
import type { Lease } from "../users/gate.ts";
import type { LocalGate } from "./local_gate.ts";
import type {
  Call,
  FromWorker,
  MainMethods,
  RemoteLoginOutcome,
  ToWorker,
  WorkerSetup,
  WorkerState,
} from "./messages.ts";
import { ListenError } from "./start_error.ts";
import type { CloseReason } from "../observe/event.ts";

/** What a worker may touch; see design.md, "Processes and threads". */
export type WorkerPermissions = Pick<
  Deno.PermissionOptionsObject,
  "net" | "read" | "write" | "run"
>;

/** What a worker is served with. */
export interface WorkerLinkOptions {
  readonly gate: LocalGate;
  readonly turns: Turns;
  readonly groups: LocalProcessGroups;
  readonly logging: Pick<Logging, "accept">;
  readonly permissions: WorkerPermissions;
  readonly setup: WorkerSetup;
  /** Told once when the thread is gone: drained, or dead of an error. */
  readonly ended: (error: Error | undefined) => void;
  readonly now?: () => number;
}

/** One worker, from its start to its end. */
export class WorkerLink {
  readonly #options: WorkerLinkOptions;
  readonly #worker: Worker;
  readonly #leases = new Map<string, Lease>();
  readonly #turns = new Map<number, Disposable>();
  readonly #calls = new Map<number, AbortController>();
  readonly #groups = new Set<number>();
  /** Sessions that have begun here and not ended. */
  readonly #sessions = new Set<string>();
  readonly #listening = Promise.withResolvers<readonly Deno.NetAddr[]>();
  #lastTurn = 0;
  #gone = false;

  /** Starts the thread. */
  constructor(options: WorkerLinkOptions) {
    this.#options = options;
    this.#worker = new Worker(new URL("./session_worker.ts", import.meta.url).href, {
      type: "module",
      name: options.setup.sessionPrefix,
      deno: {
        permissions: { ...options.permissions, env: false, ffi: false, sys: false, import: false },
      },
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

  /** Accepts no more; ends when the last session has. */
  drain(): void {
    this.#post({ type: "drain" });
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
        return this.#calls.get(message.call)?.abort();
      case "events":
        return message.events.forEach((event) => this.#observe(event));
      case "release":
        return void this.#release(message.session);
      case "leave-turn":
        return this.#leaveTurn(message.turn);
      case "group-started":
        this.#groups.add(message.pid);
        return this.#options.groups.started(message.pid);
      case "log":
        return this.#options.logging.accept(message.line);
      case "drained":
        return this.#end(undefined);
    }
  }

  #observe(event: ServerEvent): void {
    if (event.type === "connected") this.#sessions.add(event.session);
    else if (event.type === "disconnected") this.#sessions.delete(event.session);
    this.#options.gate.observe(event);
  }

  async #answer({ call, method, args }: Call): Promise<void> {
    const controller = new AbortController();
    this.#calls.set(call, controller);
    try {
      // Call pairs each method with its own arguments.
      const carryOut = this.#methods(controller.signal)[method] as (
        ...args: unknown[]
      ) => Promise<unknown>;
      this.#post({ type: "answer", call, value: await carryOut(...args) });
    } catch (error) {
      this.#post({
        type: "failure",
        call,
        message: error instanceof Error ? error.message : String(error),
      });
    } finally {
      this.#calls.delete(call);
    }
  }

  #methods(signal: AbortSignal): MainMethods {
    const { gate, groups, turns } = this.#options;
    return {
      admit: (identity) => gate.admit(identity),
      scramParameters: (user) => gate.scramParameters(user),
      login: async (identity, credentials) =>
        this.#keep(identity.session, await gate.login(identity, credentials)),
      enterTurn: async () => {
        const turn = await turns.enter(signal);
        // A worker that died meanwhile gives no turn back.
        if (this.#gone) turn[Symbol.dispose]();
        this.#turns.set(++this.#lastTurn, turn);
        return this.#lastTurn;
      },
      endGroup: async (pid) => {
        if (!this.#groups.delete(pid)) return;
        await groups.end(pid);
      },
    };
  }

  /** The lease stays here, where it can be given back for a worker that dies. */
  #keep(session: string, outcome: Awaited<ReturnType<LocalGate["login"]>>): RemoteLoginOutcome {
    if (outcome.kind === "refused") return outcome;
    const { lease, ...granted } = outcome;
    if (this.#gone) lease[Symbol.asyncDispose]();
    else this.#leases.set(session, lease);
    lease.lost.addEventListener("abort", () => this.#post({ type: "lost", session }), {
      once: true,
    });
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
    this.#listening.reject(error ?? new Error("The worker ended before it listened"));
    this.#listening.promise.catch(() => undefined); // Whoever waited for it has been told.
    const { gate, groups, now = Date.now } = this.#options;
    for (const controller of this.#calls.values()) controller.abort();
    for (const session of this.#sessions) {
      gate.observe({ type: "disconnected", session, at: now(), reason: "error" });
    }
    for (const lease of this.#leases.values()) lease[Symbol.asyncDispose]();
    for (const turn of this.#turns.values()) turn[Symbol.dispose]();
    for (const pid of this.#groups) groups.end(pid);
    this.#options.ended(error);
  }
}
