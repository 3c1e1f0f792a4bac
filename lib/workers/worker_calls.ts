/** Answers a worker's questions, and keeps the locks of maildrops that it was given. */

import { type HeldFolders, HelperError, NoHelperError } from "../contracts/held_folders.ts";
import type { CloseReason } from "../contracts/event.ts";
import type { Lease, LoginOutcome } from "../contracts/login_service.ts";
import { MOST_REQUESTS } from "../mail/held/held_mailbox.ts";
import { MOST_MAIL_THREADS } from "../mail/mail_thread/mail_threads.ts";
import type { MailWorkers } from "./mail/mail_workers.ts";
import type { LocalLoginService } from "../auth/local_login_service.ts";
import type { Call, HeldFoldersAnswer, MainMethods, RemoteLoginOutcome } from "./messages.ts";
import type { WorkerRuns } from "./worker_runs.ts";
import { FalseStatementError, type WorkerSessions } from "./worker_sessions.ts";

/** Questions of one worker that may wait at once, beside one for each of its sessions. */
const MORE_WAITING = 1024;

/** Threads for slow mailboxes that a worker may have started: it may know sooner than the main thread that some have ended. */
const MOST_STARTED = 2 * MOST_MAIL_THREADS;

/** What questions are answered with. */
export interface WorkerCallsOptions {
  readonly loginService: LocalLoginService;
  readonly sessions: WorkerSessions;
  readonly runs: WorkerRuns;
  /** Works in folders of the worker's mail folder that are held open. */
  readonly held: HeldFolders;
  /** Serve slow mailboxes for the worker. */
  readonly mailWorkers: MailWorkers;
  /** Tells the worker that a session's lock is lost. */
  readonly lost: (session: string) => void;
}

/** One worker's questions. */
export class WorkerCalls {
  readonly #options: WorkerCallsOptions;
  readonly #leases = new Map<string, Lease>();
  /** Logins that are being checked, by question: each can be taken back. */
  readonly #checking = new Map<number, AbortController>();
  #last = 0;
  #open = 0;
  /** Requests for held folders that are under way. */
  #holding = 0;
  #ended = false;

  constructor(options: WorkerCallsOptions) {
    this.#options = options;
  }

  /**
   * Looks whether a question can be asked. Synchronous, so that who asks what cannot be is found out before anything is done for it.
   *
   * @throws {FalseStatementError} when no session worker asks it
   */
  check(question: Call): void {
    if (question.call <= this.#last) {
      throw new FalseStatementError("A question has the number of an earlier one");
    }
    this.#last = question.call;
    const { sessions } = this.#options;
    if (this.#open >= sessions.size + MORE_WAITING) {
      throw new FalseStatementError("More questions wait than sessions could ask");
    }
    if (question.method === "holdFolders" && this.#holding >= MOST_REQUESTS) {
      throw new FalseStatementError("It asks for more work in held folders than a worker does");
    }
    if (question.method === "openMailThread" && this.#options.mailWorkers.size >= MOST_STARTED) {
      throw new FalseStatementError("It asks for more threads for slow mailboxes than it uses");
    }
    if (question.method === "admit") sessions.of(question.args[0]);
    else if (question.method === "login") sessions.checking(question.args[0]);
    else if (question.method === "enterTurn") sessions.reader(question.args[0]);
    else if (question.method === "claimLease" || question.method === "releaseLease") {
      sessions.mustHave(question.args[0]);
    }
  }

  /** Answers a question that was checked. @throws {Error} when it cannot be answered now */
  async answer(question: Call): Promise<Awaited<ReturnType<MainMethods[keyof MainMethods]>>> {
    this.#open++;
    try {
      return await this.#carryOut(question);
    } finally {
      this.#open--;
    }
  }

  /** A question need not be answered any more. */
  cancel(call: number): void {
    this.#checking.get(call)?.abort();
    this.#options.runs.cancel(call);
  }

  /**
   * Takes a session's lock back.
   *
   * @throws {FalseStatementError} when it has none
   */
  release(session: string): void {
    if (!this.#release(session) && !this.#options.sessions.hasEnded(session)) {
      throw new FalseStatementError("A session gives a lock back that it has not");
    }
  }

  /** A session is over: whatever it did not give back is taken. */
  sessionEnded(session: string): void {
    this.#release(session);
  }

  /** Takes back everything: the worker is gone. */
  end(): void {
    this.#ended = true;
    for (const controller of this.#checking.values()) controller.abort();
    for (const lease of this.#leases.values()) void lease[Symbol.asyncDispose]();
  }

  #carryOut(question: Call): ReturnType<MainMethods[keyof MainMethods]> {
    const { loginService, runs } = this.#options;
    switch (question.method) {
      case "admit":
        return loginService.admit(...question.args);
      case "scramParameters":
        return loginService.scramParameters(...question.args);
      case "login":
        return this.#login(question.call, ...question.args);
      case "claimLease":
        return this.#claimLease(...question.args);
      case "releaseLease":
        return this.#releaseLease(...question.args);
      case "enterTurn":
        return runs.enter(question.call, ...question.args);
      case "openMailThread":
        return Promise.resolve(this.#options.mailWorkers.start());
      case "isRemote":
        return this.#options.mailWorkers.isRemote(...question.args);
      case "holdFolders":
        return this.#holdFolders(...question.args);
    }
  }

  async #login(
    call: number,
    ...[identity, credentials]: Parameters<MainMethods["login"]>
  ): Promise<RemoteLoginOutcome> {
    const { loginService, sessions } = this.#options;
    const gone = new AbortController();
    this.#checking.set(call, gone);
    let outcome;
    try {
      outcome = await loginService.login(identity, credentials, gone.signal);
    } catch (error) {
      sessions.unchecked(identity.session);
      throw error;
    } finally {
      this.#checking.delete(call);
    }
    const isThere = sessions.checked(identity.session, credentials, outcome);
    return this.#keep(identity.session, outcome, isThere && !this.#ended);
  }

  /** The lease stays here, where it can be given back for a worker that dies. */
  #keep(session: string, outcome: LoginOutcome, isThere: boolean): RemoteLoginOutcome {
    if (outcome.kind === "refused") return outcome;
    const { lease, ...granted } = outcome;
    if (!isThere) {
      void lease[Symbol.asyncDispose]();
      return { kind: "refused", reason: "unavailable" };
    }
    this.#leases.set(session, lease);
    lease.onLost(() => this.#options.lost(session));
    return granted;
  }

  async #claimLease(session: string): Promise<number> {
    return await this.#leases.get(session)?.claim() ?? 0;
  }

  /** The session is there until its end was told, which comes after the answer. */
  async #releaseLease(session: string, ending: CloseReason): Promise<void> {
    await this.#take(session)?.release(ending);
  }

  async #holdFolders(
    request: Uint8Array<ArrayBuffer>,
    root: string | undefined,
  ): Promise<HeldFoldersAnswer> {
    this.#holding++;
    try {
      return { kind: "done", octets: await this.#options.held.run(request, root) };
    } catch (error) {
      if (error instanceof NoHelperError) return { kind: "failed", why: undefined };
      if (error instanceof HelperError) return { kind: "failed", why: error.message };
      throw error;
    } finally {
      this.#holding--;
    }
  }

  #release(session: string): boolean {
    const lease = this.#take(session);
    void lease?.[Symbol.asyncDispose]();
    return lease !== undefined;
  }

  #take(session: string): Lease | undefined {
    const lease = this.#leases.get(session);
    if (lease === undefined) return undefined;
    this.#leases.delete(session);
    this.#options.sessions.released(session);
    return lease;
  }
}
