/** The database of a state: a small pool of connections to the first host that takes writes, and what happens when there is none. */

import { delay } from "../../async/delay.ts";
import { StateStoreError } from "../../contracts/state_store.ts";
import { type ConnectionOptions, DatabaseConnection, type Rows } from "./connection.ts";
import { databaseTrouble, isFromServer, isRepeatable, wasNotDone } from "./database_trouble.ts";

/** Connections beside the one that listens. Statements are gathered, so that few are under way at once. */
const MOST_CONNECTIONS = 6;
/** Milliseconds that a statement waits for one of them. */
const LONGEST_WAIT = 3000;
/** Times that a statement is tried, and milliseconds between two tries. */
const TRIES = 5;
const PAUSES = [5, 10, 20, 40, 80] as const;
/** Milliseconds between two probes while the database is away: quick at first, since a fail-over is short. */
const PROBES = [50, 100, 200, 400, 800] as const;
const SLOWEST_PROBE = 1000;

/** How a statement may be treated. */
export interface QueryOptions {
  /** Whether it may run twice: then it is repeated where it is not known whether it was done. @default {false} */
  readonly repeatable?: boolean;
}

/** Runs statements, of a transaction or by themselves. `{account}` in a text is the table of that name. */
export type Query = (text: string, values?: readonly unknown[]) => Promise<Rows>;

/** What is told of a database. */
export interface DatabaseEvents {
  /** It is away from now on, for this reason. */
  readonly away?: (error: StateStoreError) => void;
  /** It is back. */
  readonly back?: () => void;
}

/** A database in use. Disposing closes all connections. */
export class Database implements AsyncDisposable {
  readonly #options: ConnectionOptions;
  readonly #events: DatabaseEvents;
  readonly #texts = new Map<string, string>();
  readonly #idle: DatabaseConnection[] = [];
  readonly #busy = new Set<DatabaseConnection>();
  readonly #waiting: PromiseWithResolvers<DatabaseConnection>[] = [];
  #connecting = 0;
  /** The host in use, as its place in the list. */
  #host = 0;
  #away: StateStoreError | undefined;
  #isClosed = false;

  private constructor(options: ConnectionOptions, events: DatabaseEvents) {
    this.#options = options;
    this.#events = events;
  }

  /**
   * Connects.
   *
   * @throws {StateStoreError} when no host can be used
   */
  static async open(options: ConnectionOptions, events: DatabaseEvents = {}): Promise<Database> {
    const database = new Database(options, events);
    database.#give(await database.#connect());
    return database;
  }

  /** Its name for people. */
  get name(): string {
    return this.#options.place.name;
  }

  /** Why it cannot be used now; undefined when it can. */
  get away(): StateStoreError | undefined {
    return this.#away;
  }

  /**
   * Runs a statement.
   *
   * @throws {StateStoreError} at once while the database is away
   */
  async query(
    text: string,
    values: readonly unknown[] = [],
    options: QueryOptions = {},
  ): Promise<Rows> {
    return await this.#try(
      (connection) => connection.query(this.#named(text), values),
      options.repeatable ?? false,
    );
  }

  /**
   * Runs statements as one transaction, again from the start where others were at the same rows: the body must do nothing else.
   *
   * @throws {StateStoreError} when nothing of it was done, or it is not known whether the database did it at the end
   */
  async transaction<T>(body: (query: Query) => Promise<T>): Promise<T> {
    return await this.#try(async (connection) => {
      await connection.query("BEGIN");
      try {
        const result = await body((text, values) => connection.query(this.#named(text), values));
        await connection.query("COMMIT");
        return result;
      } catch (error) {
        if (!connection.isGone) await connection.query("ROLLBACK").catch(() => connection.close());
        throw error;
      }
    }, false);
  }

  /** A connection of its own, outside the pool. @throws {StateStoreError} */
  async separate(): Promise<DatabaseConnection> {
    if (this.#away !== undefined) throw this.#away;
    return await this.#connect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const closed = this.#closedError();
    for (const { reject } of this.#waiting.splice(0)) reject(closed);
    for (const connection of this.#busy) connection.close();
    await Promise.all(this.#idle.splice(0).map((connection) => connection.end()));
  }

  async #try<T>(
    run: (connection: DatabaseConnection) => Promise<T>,
    repeatable: boolean,
  ): Promise<T> {
    for (let tries = 1;; tries++) {
      const connection = await this.#take();
      try {
        return await run(connection);
      } catch (error) {
        if (error instanceof StateStoreError || !(error instanceof Error)) throw error;
        const lost = connection.isGone || !isFromServer(error);
        // A time-out tells that the database stands still: others need not wait as long to find out.
        if (lost) this.#lost(connection, error);
        const again = isRepeatable(error) || (lost && (repeatable || wasNotDone(error)));
        if (!again || tries >= TRIES || this.#away !== undefined) {
          throw databaseTrouble(error, this.name);
        }
        await delay(PAUSES[tries - 1]! * (0.5 + Math.random() / 2));
      } finally {
        this.#busy.delete(connection);
        this.#give(connection);
      }
    }
  }

  async #take(): Promise<DatabaseConnection> {
    if (this.#isClosed) throw this.#closedError();
    if (this.#away !== undefined) throw this.#away;
    const idle = this.#idle.pop();
    const connection = idle ??
      (this.#size < MOST_CONNECTIONS
        ? await this.#connect().catch((error) => {
          throw this.#isClosed ? error : this.#goAway(error);
        })
        : await this.#wait());
    this.#busy.add(connection);
    return connection;
  }

  get #size(): number {
    return this.#idle.length + this.#busy.size + this.#connecting;
  }

  async #wait(): Promise<DatabaseConnection> {
    const waiting = Promise.withResolvers<DatabaseConnection>();
    this.#waiting.push(waiting);
    const timer = setTimeout(() => {
      const text = `The database ${this.name} is too slow: statements wait for others. ` +
        "Nothing was changed; try again";
      waiting.reject(new StateStoreError("busy", text));
    }, LONGEST_WAIT);
    try {
      return await waiting.promise;
    } finally {
      clearTimeout(timer);
      const at = this.#waiting.indexOf(waiting);
      if (at >= 0) this.#waiting.splice(at, 1);
    }
  }

  /** Gives a connection to who waits for one, or keeps it. */
  #give(connection: DatabaseConnection): void {
    if (connection.isGone) return this.#replace();
    if (this.#isClosed || this.#away !== undefined) return connection.close();
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return void this.#idle.push(connection);
    this.#busy.add(connection);
    waiting.resolve(connection);
  }

  /** Makes a connection for who waits, in the place of one that is gone. */
  #replace(): void {
    if (this.#waiting.length === 0 || this.#isClosed || this.#away !== undefined) return;
    this.#connect().then(
      (connection) => this.#give(connection),
      (error) => void this.#goAway(error),
    );
  }

  #lost(connection: DatabaseConnection, error: Error): void {
    connection.close();
    // All of them were to the same host.
    for (const idle of this.#idle.splice(0)) idle.close();
    if (/timeout/i.test(error.message)) this.#goAway(databaseTrouble(error, this.name));
  }

  /** Connects to the first host that takes writes, the one in use first. @throws {StateStoreError} of the last that was tried */
  async #connect(): Promise<DatabaseConnection> {
    const { hosts } = this.#options.place;
    this.#connecting++;
    let last: unknown;
    try {
      for (let turn = 0; turn < hosts.length; turn++) {
        const at = (this.#host + turn) % hosts.length;
        try {
          const connection = await DatabaseConnection.open(hosts[at]!, this.#options);
          this.#host = at;
          connection.onGone(() => {
            const idle = this.#idle.indexOf(connection);
            if (idle >= 0) this.#idle.splice(idle, 1);
          });
          return connection;
        } catch (error) {
          last = error;
        }
      }
    } finally {
      this.#connecting--;
    }
    throw databaseTrouble(last, this.name);
  }

  #goAway(error: StateStoreError): StateStoreError {
    if (this.#away === undefined && !this.#isClosed) {
      this.#away = error;
      for (const idle of this.#idle.splice(0)) idle.close();
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      this.#events.away?.(error);
      void this.#probe();
    }
    return this.#away ?? error;
  }

  async #probe(): Promise<void> {
    for (let probe = 0; !this.#isClosed; probe++) {
      await delay(PROBES[probe] ?? SLOWEST_PROBE, { persistent: false });
      if (this.#isClosed) return;
      try {
        const connection = await this.#connect();
        this.#away = undefined;
        this.#give(connection);
        return this.#events.back?.();
      } catch (error) {
        this.#away = databaseTrouble(error, this.name);
      }
    }
  }

  #closedError(): StateStoreError {
    return new StateStoreError("unreachable", `The database ${this.name} was closed`);
  }

  /** Tables are named with their schema: nothing is set that a pooler would give to others. */
  #named(text: string): string {
    let named = this.#texts.get(text);
    if (named === undefined) {
      const { schema } = this.#options.place;
      named = text.replaceAll(/\{(\w+)\}/g, `"${schema}"."$1"`);
      this.#texts.set(text, named);
    }
    return named;
  }
}
