/** This server among others that share its database: it beats, hears what others say, and says what others must hear. */

import type { NodeInfo, OwnFigures, Signal, SignalKind } from "../../contracts/fleet.ts";
import { StateStoreError } from "../../contracts/state_store.ts";
import { PostgresLocks, type SessionTotals } from "../../locks/postgres_locks.ts";
import { logger } from "../../log/logging.ts";
import { Listener } from "../../state/postgres/listener.ts";
import { Membership, type News } from "../../state/postgres/membership.ts";
import type { PostgresState } from "../../state/postgres/postgres_state.ts";
import { Cleaner } from "./cleaner.ts";
import { type FleetManagementOptions, SharedManagement } from "./fleet_management.ts";
import { SharedFailures } from "./shared_failures.ts";
import { SignalReader } from "../../state/postgres/signal_reader.ts";

const log = logger("fleet");

/** What is done when another node says something. What fails is logged. */
export type SignalHandlers = {
  readonly [K in SignalKind]: (body: string, from: string) => void | Promise<void>;
};

/** How a server takes part. */
export interface FleetOptions {
  readonly state: PostgresState;
  /** Its name. */
  readonly name: string;
  readonly version: string;
  /** What it tells of itself. */
  readonly figures: () => OwnFigures;
  /** What a session did, for its record in the access log; undefined where there is to be none. */
  readonly totals: (session: string) => SessionTotals | undefined;
}

/** A server among others. Disposing leaves: its row goes, with what is left of its leases. */
export class Fleet implements AsyncDisposable {
  readonly locks: PostgresLocks;
  readonly failures: SharedFailures;
  readonly #options: FleetOptions;
  readonly #reader: SignalReader;
  readonly #listener: Listener;
  readonly #newsListeners = new Set<(news: News) => void>();
  #membership: Membership | undefined;
  #handlers: SignalHandlers | undefined;
  #signals = "";
  #reading: Promise<void> | undefined;
  #mustReadAgain = false;
  #awaySince: number | undefined;

  private constructor(options: FleetOptions) {
    this.#options = options;
    const { state: { database, accesses }, name, totals } = options;
    this.failures = new SharedFailures(database, name);
    this.#reader = new SignalReader(database, name);
    this.#listener = new Listener({
      database,
      heard: () => void this.#read(),
      deaf: () =>
        log.info(
          "The database wakes no listeners (a pooler in between, or another engine): changes on other servers are heard within two seconds",
        ),
    });
    this.locks = new PostgresLocks({
      database,
      node: () => this.#membership ?? { name, epoch: 0 },
      record: (session) => {
        const done = totals(session);
        if (done !== undefined) accesses.handOver(session);
        return done;
      },
      onTrouble: (error) =>
        log.warn("Ends of sessions cannot be written, trying again: {error}", { error }),
      onRecovery: (lost) =>
        log.info("Ends of sessions can be written again; {lost} were lost", { lost }),
    });
  }

  /**
   * Registers, and beats from then on.
   *
   * @throws {StateStoreError} `held` when another server has the name
   */
  static async join(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options);
    await fleet.#join();
    return fleet;
  }

  /** The name of this server. */
  get name(): string {
    return this.#options.name;
  }

  /** Milliseconds for which the database has been away; undefined while it answers. */
  get away(): number | undefined {
    return this.#awaySince && performance.now() - this.#awaySince;
  }

  /** All servers. @throws {StateStoreError} */
  async nodes(): Promise<readonly NodeInfo[]> {
    return await this.#membership!.nodes();
  }

  /** Tells what beats bring. */
  onNews(listener: (news: News) => void): void {
    this.#newsListeners.add(listener);
  }

  /** Hears what others say from now on. */
  async hear(handlers: SignalHandlers): Promise<void> {
    await this.#reader.read();
    this.#handlers = handlers;
    void this.#listener.listen();
  }

  /** Says something to all others. @throws {StateStoreError} */
  async say(kind: SignalKind, body: string): Promise<void> {
    const { database, signals } = this.#options.state;
    await database.transaction((query) => signals.write(query, kind, body));
  }

  /** What administrators see of all servers, and can tell them. */
  manage(
    observatory: FleetManagementOptions["observatory"],
    life: FleetManagementOptions["life"],
  ): SharedManagement {
    return new SharedManagement({ fleet: this, state: this.#options.state, observatory, life });
  }

  /** What cleans up for all while this server holds the lock for it. */
  cleaner(): Cleaner {
    return new Cleaner({ database: this.#options.state.database, locks: this.locks });
  }

  /** Tells the others that this server takes no new sessions. */
  drain(): void {
    if (this.#membership !== undefined) this.#membership.state = "draining";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]();
    await this.#reading;
    await this.locks.flush();
    await this.#membership?.leave();
  }

  async #join(): Promise<void> {
    const { figures, name, state, version } = this.#options;
    this.#membership = await Membership.join({
      database: state.database,
      name,
      version,
      figures,
      beaten: (news) => this.#beaten(news),
      lapsed: (before) => this.#lapsed(before),
      displaced: (error) => log.error("{error}", { error }),
    });
    state.watch({
      away: (error) => {
        this.#awaySince = performance.now();
        log.error(
          "{error}. Sessions go on reading; logins and changes are refused until it is back",
          { error },
        );
      },
      back: () => {
        const seconds = Math.round((this.away ?? 0) / 1000);
        this.#awaySince = undefined;
        log.info("The database is back after {seconds} s", { seconds });
        void this.#membership?.beat();
        void this.locks.flush();
        void state.flush();
      },
    });
  }

  #beaten(news: News): void {
    if (news.signals !== this.#signals) {
      this.#signals = news.signals;
      void this.#read();
    }
    for (const listener of this.#newsListeners) listener(news);
  }

  /** This server was taken for dead: what it knows may be old, and what it held may be another's. */
  async #lapsed(before: number): Promise<void> {
    const held = this.locks.size;
    await this.locks.revive(before);
    const lost = held - this.locks.size;
    log.warn(
      "The other servers took this one for dead; {revived} sessions hold their locks still, {lost} have lost them",
      { revived: this.locks.size, lost },
    );
    const handlers = this.#handlers;
    if (handlers === undefined) return;
    for (const kind of ["accounts", "settings", "bans"] as const) {
      await this.#handle({ kind, body: "", from: "" }, handlers);
    }
  }

  #read(): Promise<void> {
    this.#mustReadAgain = true;
    this.#reading ??= this.#readAll().finally(() => this.#reading = undefined);
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    while (this.#mustReadAgain) {
      this.#mustReadAgain = false;
      const handlers = this.#handlers;
      if (handlers === undefined) return;
      let signals: readonly Signal[];
      try {
        signals = await this.#reader.read();
      } catch (error) {
        if (!(error instanceof StateStoreError)) throw error;
        // The next beat asks again.
        this.#signals = "";
        return;
      }
      for (const signal of signals) await this.#handle(signal, handlers);
    }
  }

  async #handle({ kind, body, from }: Signal, handlers: SignalHandlers): Promise<void> {
    try {
      await handlers[kind]?.(body, from);
    } catch (error) {
      log.error("What server {from} said ({kind}) could not be carried out: {error}", {
        from,
        kind,
        error,
      });
    }
  }
}
