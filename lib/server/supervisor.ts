/** Keeps the session workers: starts them, replaces the dead, and renews all when their permissions change. */

import type { CertificateMaterial } from "../net/certificates.ts";
import type { Seats } from "../net/seats.ts";
import { sharedSeatMemory, SharedSeats } from "../net/shared_seats.ts";
import type { CloseReason } from "../observe/event.ts";
import { logger, type Logging } from "../observe/logging.ts";
import type { LocalProcessGroups } from "../transform/local_process_groups.ts";
import type { Turns } from "../transform/turnstile.ts";
import type { LocalGate } from "./local_gate.ts";
import type { WorkerSetup, WorkerState } from "./messages.ts";
import type { ListenOptions } from "./session_host.ts";
import { StartError } from "./start_error.ts";
import { WorkerLink, type WorkerPermissions } from "./worker_link.ts";

const log = logger("workers");

/** How long, in milliseconds, a worker that died at once is not replaced, so that a fault does not become a storm. */
const REPLACE_PAUSE_MS = 1000;

/** Counters for workers of one generation and of those that still drain. */
const MAX_THREADS = 1024;

/** What differs from one generation of workers to the next. */
export interface Generation {
  readonly permissions: WorkerPermissions;
  readonly transformer: readonly [string, ...string[]] | undefined;
}

/** What the supervisor works with. */
export interface SupervisorOptions {
  readonly gate: LocalGate;
  readonly turns: Turns;
  readonly groups: LocalProcessGroups;
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
  /** A prefix for session names that no other worker has or had. */
  readonly newPrefix: () => Promise<string>;
}

/** The session workers. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #memory: SharedArrayBuffer;
  readonly #seats: SharedSeats;
  /** Workers that accept. */
  readonly #serving = new Set<WorkerLink>();
  /** Workers that accept no more. */
  readonly #draining = new Set<WorkerLink>();
  readonly #freeSeats = Array.from({ length: MAX_THREADS }, (_, index) => MAX_THREADS - 1 - index);
  #generation: Generation;
  #stopping = false;
  #emptied: (() => void) | undefined;

  constructor(options: SupervisorOptions, generation: Generation) {
    this.#options = options;
    this.#generation = generation;
    this.#memory = sharedSeatMemory(options.maxConnections, MAX_THREADS);
    this.#seats = new SharedSeats(this.#memory, MAX_THREADS - 1);
  }

  /** The places that are taken. */
  get seats(): Pick<Seats, "available"> & { readonly taken: number } {
    return this.#seats;
  }

  /**
   * Starts the workers; they serve once all of them listen.
   *
   * @throws {ListenError} when a port cannot be opened
   */
  async start(): Promise<void> {
    const links = await Promise.all(
      Array.from({ length: this.#options.workers }, () => this.#open()),
    );
    for (const link of links) link.start();
  }

  /** Changes how many sessions there may be at once. */
  setMaxConnections(limit: number): void {
    this.#seats.setLimit(limit);
  }

  /** Tells all workers what is true now. */
  update(state: WorkerState): void {
    for (const link of [...this.#serving, ...this.#draining]) link.update(state);
  }

  /** Gives all workers the certificates that are in force now. */
  renewCertificates(): void {
    const certificates = this.#options.certificates();
    for (const link of [...this.#serving, ...this.#draining]) link.renewCertificates(certificates);
  }

  /**
   * Starts workers with other permissions, and lets the old ones serve out their sessions.
   *
   * @throws {Error} when the new ones cannot start; the old ones go on then
   */
  async renew(generation: Generation): Promise<void> {
    const old = [...this.#serving];
    const before = this.#generation;
    this.#generation = generation;
    try {
      await this.start();
    } catch (error) {
      this.#generation = before;
      throw error;
    }
    for (const link of old) this.#drain(link);
  }

  /** Ends a session. Returns whether there was such a one. */
  close(session: string, reason: CloseReason): boolean {
    return [...this.#serving, ...this.#draining].some((link) => link.close(session, reason));
  }

  /** Accepts no more and waits until all sessions have ended; those that have not when `expired` is aborted are ended. */
  async shutdown(expired: AbortSignal): Promise<void> {
    this.#stopping = true;
    for (const link of [...this.#serving]) this.#drain(link);
    const end = (): void => {
      for (const link of this.#draining) link.end();
    };
    if (expired.aborted) end();
    else expired.addEventListener("abort", end, { once: true });
    if (this.#draining.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#emptied = resolve;
    await promise;
  }

  #drain(link: WorkerLink): void {
    this.#serving.delete(link);
    this.#draining.add(link);
    link.drain();
  }

  async #open(): Promise<WorkerLink> {
    const seat = this.#freeSeats.pop();
    if (seat === undefined) {
      throw new StartError(
        `More than ${MAX_THREADS} workers are in use; wait until old ones have ended`,
      );
    }
    const { certificates, gate, turns, groups, logging, listen, path, state } = this.#options;
    const { permissions, transformer } = this.#generation;
    const setup: WorkerSetup = {
      state: state(),
      listen,
      sessionPrefix: await this.#options.newPrefix(),
      seats: this.#memory,
      seat,
      transformer,
      path,
      certificates: certificates(),
    };
    const link = new WorkerLink({
      gate,
      turns,
      groups,
      logging,
      permissions,
      setup,
      ended: (error) => this.#ended(link, seat, error),
    });
    await link.listening;
    this.#serving.add(link);
    return link;
  }

  #ended(link: WorkerLink, seat: number, error: Error | undefined): void {
    const served = this.#serving.delete(link);
    this.#draining.delete(link);
    new SharedSeats(this.#memory, seat).freeThread();
    this.#freeSeats.push(seat);
    if (error !== undefined) log.error("A session worker died: {error}", { error });
    if (served && !this.#stopping) this.#replace();
    if (this.#stopping && this.#draining.size === 0) this.#emptied?.();
  }

  async #replace(): Promise<void> {
    try {
      (await this.#open()).start();
      log.info("A session worker was replaced");
    } catch (error) {
      log.error("A session worker could not be replaced, trying again: {error}", { error });
      setTimeout(() => this.#stopping || this.#replace(), REPLACE_PAUSE_MS);
    }
  }
}
