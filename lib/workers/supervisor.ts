/** Keeps the session workers: starts them, replaces the dead, and renews all when their permissions change. */

import type { RunningMoment } from "../async/running_time.ts";
import type { CertificateMaterial } from "../net/certificates.ts";
import type { HeldFolders } from "../contracts/held_folders.ts";
import type { SharedConnectionSlots } from "../net/shared_connection_slots.ts";
import { reserveFor } from "../net/slot_limits.ts";
import type { CloseReason } from "../contracts/event.ts";
import { logger, type Logging } from "../log/logging.ts";
import type { LocalProcessGroups } from "../transform/local_process_groups.ts";
import type { Turns } from "../async/semaphore.ts";
import type { Generation } from "./generation.ts";
import type { LocalLoginService } from "../auth/local_login_service.ts";
import type { WorkerState } from "./messages.ts";
import type { ListenOptions } from "../net/endpoint.ts";
import { StartError } from "../net/start_error.ts";
import type { MailWorkers } from "./mail/mail_workers.ts";
import { SharedThreads } from "./shared_threads.ts";
import { Transformers } from "./transformer/transformers.ts";
import { WorkerHandle } from "./worker_handle.ts";

const log = logger("workers");

/** How long, in milliseconds, a worker that died at once is not replaced, so that a fault does not become a storm. */
const REPLACE_PAUSE_MS = 1000;
/** How long, in milliseconds, workers may take to end their last sessions when the patience with these is over. */
const END_PATIENCE_MS = 3000;
/** How long, in milliseconds, a worker may take to tell what has happened: figures that lack its last are better than none. */
const TELL_PATIENCE_MS = 100;
/** How long, in milliseconds, a thread that died may still run its last instructions. */
const LAST_BREATH_MS = 1000;

/** What the supervisor works with. */
export interface SupervisorOptions {
  readonly loginService: LocalLoginService;
  readonly turns: Turns;
  readonly groups: LocalProcessGroups;
  /** Works in held folders below these. */
  readonly held: (root: string, homes: readonly string[]) => HeldFolders;
  /** Makes what starts threads for slow mailboxes below these. */
  readonly mailWorkers: (folders: readonly string[]) => MailWorkers;
  readonly logging: Pick<Logging, "accept">;
  /** How many workers serve. */
  readonly workers: number;
  readonly listen: readonly ListenOptions[];
  readonly maxConnections: number;
  readonly path: string;
  /** Certificates and keys in force; empty for no TLS. */
  readonly certificates: () => readonly CertificateMaterial[];
  /** What is true for workers now. */
  readonly state: () => WorkerState;
  /** The server's running time at this moment. */
  readonly running: () => RunningMoment;
  /** A prefix for session names that no other worker has or had. */
  readonly newPrefix: () => Promise<string>;
  /** The workers' program, for tests. */
  readonly script?: URL;
  /** Milliseconds between two questions whether a worker still answers, for tests. */
  readonly pulse?: number;
}

/** The session workers. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #shared: SharedThreads;
  readonly #transformers: Transformers;
  /** Workers that accept. */
  readonly #serving = new Set<WorkerHandle>();
  /** Workers that accept no more. */
  readonly #draining = new Set<WorkerHandle>();
  /** All that are not gone, by the generation that they belong to. */
  readonly #workers = new Map<WorkerHandle, Generation>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** The highest `max_connections` so far: those that a lower one leaves over go on. */
  #mostConnections: number;
  #generation: Generation;
  #renewing: Promise<void> = Promise.resolve();
  #stopping = false;
  #emptied: (() => void) | undefined;

  /** @param generation belongs to the supervisor from now on */
  constructor(options: SupervisorOptions, generation: Generation) {
    this.#options = options;
    this.#generation = generation;
    this.#mostConnections = options.maxConnections;
    this.#transformers = new Transformers(options.groups);
    this.#shared = new SharedThreads(options.maxConnections);
  }

  /** The connection slots of all workers. */
  get slots(): Pick<SharedConnectionSlots, "available" | "served"> {
    return this.#shared.slots;
  }

  /** Why no client can be served at the moment, as a sentence; undefined when all is well. */
  get trouble(): string | undefined {
    if (this.#stopping) return "The server is shutting down";
    return this.#serving.size === 0 ? "No session worker runs" : undefined;
  }

  /**
   * Starts the workers; they serve once all of them listen. When one cannot, none is left.
   *
   * @throws {ListenError} when a port cannot be opened
   */
  async start(): Promise<void> {
    try {
      for (const link of await this.#openAll(this.#generation)) this.#serve(link);
    } catch (error) {
      this.#transformers.letGo(this.#generation);
      throw error;
    }
  }

  /** Changes how many connections are served at once. */
  setMaxConnections(limit: number): void {
    this.#mostConnections = Math.max(this.#mostConnections, limit);
    this.#shared.slots.setLimit(limit);
  }

  /** Tells all workers what is true now. */
  update(state: WorkerState): void {
    for (const [link, generation] of this.#workers) link.update(fitting(state, generation));
  }

  /** Gives all workers the certificates that are in force now. */
  renewCertificates(): void {
    const certificates = this.#options.certificates();
    for (const link of this.#workers.keys()) link.renewCertificates(certificates);
  }

  /**
   * Starts workers with other permissions, and lets the old ones serve out their sessions. The ports stay open all the time.
   *
   * @param generation belongs to the supervisor from now on
   * @throws {Error} when the new ones cannot start; the old ones go on then
   */
  renew(generation: Generation): Promise<void> {
    const renewed = this.#renewing.then(() => this.#renew(generation));
    this.#renewing = renewed.catch(() => undefined); // Whoever asked gets the error.
    return renewed;
  }

  async #renew(generation: Generation): Promise<void> {
    let fresh;
    try {
      fresh = await this.#openAll(generation);
    } catch (error) {
      this.#transformers.letGo(generation);
      generation[Symbol.dispose]();
      throw error;
    }
    const before = this.#generation;
    const old = [...this.#serving];
    this.#generation = generation;
    for (const link of fresh) this.#serve(link);
    for (const link of old) this.#drain(link, "serve");
    this.#letGo(before);
    // Whoever connects from now on meets the new ones.
    await Promise.all(old.map(({ retired }) => retired));
  }

  /** Ends a session. Returns whether there was such a one. */
  close(session: string, reason: CloseReason): boolean {
    return [...this.#workers.keys()].some((link) => link.close(session, reason));
  }

  /** Resolves when all that clients have seen happen by now was heard of; a worker that is too busy to tell is not waited for. */
  async caughtUp(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, TELL_PATIENCE_MS);
    const told = [...this.#serving, ...this.#draining].map((link) => link.caughtUp());
    await Promise.race([Promise.all(told), late.promise]);
    clearTimeout(timer);
  }

  /** Resolves when every worker that serves has answered; whoever waits sets the limit. */
  async answered(): Promise<void> {
    await Promise.all([...this.#serving].map((link) => link.caughtUp()));
  }

  /** Accepts no more and waits until all sessions have ended; those that have not when `expired` is aborted are ended. */
  async shutdown(expired: AbortSignal): Promise<void> {
    this.#stopping = true;
    for (const link of [...this.#serving]) this.#drain(link, "refuse");
    const end = (): void => {
      for (const link of this.#draining) link.end();
      this.#later(END_PATIENCE_MS, () => this.#endHung());
    };
    if (expired.aborted) end();
    else expired.addEventListener("abort", end, { once: true });
    if (this.#workers.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#emptied = resolve;
      await promise;
    }
    expired.removeEventListener("abort", end);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#transformers.letGo(this.#generation);
    this.#generation[Symbol.dispose]();
  }

  /** A thread that answers nothing must not keep the program from ending. */
  #endHung(): void {
    for (const link of [...this.#workers.keys()]) {
      link.terminate(new Error("It did not close its sessions in time"));
    }
  }

  #serve(link: WorkerHandle): void {
    this.#serving.add(link);
    link.start();
    if (this.#stopping) this.#drain(link, "refuse");
  }

  #drain(link: WorkerHandle, backlog: "serve" | "refuse"): void {
    this.#serving.delete(link);
    this.#draining.add(link);
    link.drain(backlog);
  }

  /** Starts as many workers as there are to be; all of them, or none. */
  async #openAll(generation: Generation): Promise<WorkerHandle[]> {
    const opening = Array.from({ length: this.#options.workers }, () => this.#open(generation));
    const opened = await Promise.allSettled(opening);
    const links = opened.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
    const failure = opened.find((each) => each.status === "rejected");
    const died = links.some(({ gone }) => gone);
    if (failure === undefined && !died) return links;
    for (const link of links) link.terminate();
    throw failure?.reason ?? new StartError("A session worker died while it started");
  }

  async #open(generation: Generation): Promise<WorkerHandle> {
    const shared = this.#shared.take();
    const options = this.#options;
    const { pulse, script } = options;
    const { folders, permissions, roots } = generation;
    const startProgram = this.#transformers.starter(generation);
    const sessionPrefix = await options.newPrefix();
    const begun = performance.now();
    const link = new WorkerHandle({
      loginService: options.loginService,
      turns: options.turns,
      startProgram,
      held: options.held(folders[0], folders.slice(1)),
      mailWorkers: options.mailWorkers(folders),
      folders,
      path: options.path,
      logging: options.logging,
      permissions,
      maxConnections: () => this.#mostConnections + reserveFor(this.#mostConnections),
      setup: {
        state: fitting(options.state(), generation),
        listen: options.listen,
        sessionPrefix,
        ...shared,
        transforms: startProgram !== undefined,
        account: Deno.uid() ?? NaN,
        roots,
        running: options.running(),
        certificates: options.certificates(),
      },
      ...(script !== undefined && { script }),
      ...(pulse !== undefined && { pulse }),
      ended: (error) =>
        this.#ended(link, { thread: shared.thread, error, age: performance.now() - begun }),
    });
    this.#workers.set(link, generation);
    await link.listening;
    return link;
  }

  #ended(
    link: WorkerHandle,
    { thread, error, age }: { thread: number; error: Error | undefined; age: number },
  ): void {
    const generation = this.#workers.get(link);
    this.#workers.delete(link);
    const served = this.#serving.delete(link);
    this.#draining.delete(link);
    if (error !== undefined) log.error("A session worker died: {error}", { error });
    // One that died may still take its last steps: what it holds is given to others when it surely does not.
    if (error === undefined) this.#shared.free(thread);
    else this.#later(LAST_BREATH_MS, () => this.#shared.free(thread));
    if (served && !this.#stopping) {
      if (age >= REPLACE_PAUSE_MS) this.#replace();
      else this.#later(REPLACE_PAUSE_MS, () => this.#replace());
    }
    if (generation !== undefined) this.#letGo(generation);
    if (this.#stopping && this.#workers.size === 0) this.#emptied?.();
  }

  /** Gives back the mail folder of a generation that nobody belongs to any more. */
  #letGo(generation: Generation): void {
    if (generation === this.#generation) return;
    if ([...this.#workers.values()].includes(generation)) return;
    this.#transformers.letGo(generation);
    generation[Symbol.dispose]();
  }

  async #replace(): Promise<void> {
    const generation = this.#generation;
    try {
      const link = await this.#open(generation);
      // Those of a newer generation are as many as there are to be.
      if (generation !== this.#generation) return link.terminate();
      this.#serve(link);
      log.info("A session worker was replaced");
    } catch (error) {
      if (generation !== this.#generation || this.#stopping) return;
      log.error("A session worker could not be replaced, trying again: {error}", { error });
      this.#later(REPLACE_PAUSE_MS, () => this.#replace());
    }
  }

  #later(milliseconds: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, milliseconds);
    this.#timers.add(timer);
  }
}

/** What is true for a worker: its permissions fit the settings that it was started under, whatever these are now. */
function fitting(state: WorkerState, generation: Generation): WorkerState {
  return { ...state, settings: { ...state.settings, ...generation.settings } };
}
