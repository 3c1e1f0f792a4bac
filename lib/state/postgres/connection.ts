/** One connection to a host of the database, over the driver. */

// @ts-types="./pg.d.ts"
import pg from "pg";
import { codeOf } from "./database_trouble.ts";
import type { DatabaseHost, DatabasePlace } from "./state_url.ts";

/** A row as the driver gives it: `bigint` and `numeric` as text, `bytea` as octets. */
export type Row = Readonly<Record<string, unknown>>;

/** What came of a statement. */
export interface Rows {
  readonly rows: readonly Row[];
  /** How many rows were read or changed. */
  readonly count: number;
}

/** How connections are made. */
export interface ConnectionOptions {
  readonly place: DatabasePlace;
  readonly password: string;
  /** The authorities' certificates as PEM text, where the place names any. */
  readonly authorities: string | undefined;
  /** Shown by the database for its connections. */
  readonly application: string;
  /** Milliseconds to connect and log in. @default {2000} */
  readonly connectTimeout?: number;
  /** Milliseconds for a statement: without it, a database that stands still would never be an error. @default {3000} */
  readonly queryTimeout?: number;
}

/** A connection that takes writes. */
export class DatabaseConnection {
  readonly #client: InstanceType<typeof pg.Client>;
  readonly host: DatabaseHost;
  #isGone = false;
  #tell: (() => void) | undefined;

  private constructor(client: InstanceType<typeof pg.Client>, host: DatabaseHost) {
    this.#client = client;
    this.host = host;
    // Without listeners, the end of a connection would be the end of the process.
    client.on("error", () => this.#gone());
    client.on("end", () => this.#gone());
  }

  /**
   * Connects, and makes sure that the host takes writes.
   *
   * @throws {Error} of the driver, the system or the database; code 25006 when the host takes no writes
   */
  static async open(host: DatabaseHost, options: ConnectionOptions): Promise<DatabaseConnection> {
    const { place, password, application, authorities } = options;
    const { connectTimeout = 2000, queryTimeout = 3000 } = options;
    const client = new pg.Client({
      host: host.host,
      port: host.port,
      user: place.user,
      // A function even where there is none: an empty text would have ~/.pgpass looked for.
      password: () => password,
      database: place.database,
      ssl: host.sslMode === "disable" ? false : {
        rejectUnauthorized: host.sslMode === "verify-full",
        servername: host.host,
        ...authorities !== undefined && { ca: authorities },
      },
      connectionTimeoutMillis: connectTimeout,
      query_timeout: queryTimeout,
      keepAlive: true,
      application_name: application,
    });
    const connection = new DatabaseConnection(client, host);
    // What goes wrong with the password alone is told as an event, and the connecting goes on until its time is over.
    const failed = Promise.withResolvers<never>();
    client.on("error", failed.reject);
    failed.promise.catch(() => {});
    try {
      await Promise.race([client.connect(), failed.promise]);
      const { rows } = await connection.query(
        "SELECT current_setting('transaction_read_only') AS answer",
      );
      if (rows[0]?.answer === "on") throw new ReadOnlyError();
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Whether it can be used no more. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /**
   * Runs one statement, never under a name: through a pooler the next one may come to another connection.
   *
   * @throws {Error} of the driver, the system or the database; after one that the database did not say, the connection is gone
   */
  async query(text: string, values: readonly unknown[] = []): Promise<Rows> {
    try {
      const { rows, rowCount } = await this.#client.query(text, values);
      return { rows, count: rowCount ?? 0 };
    } catch (error) {
      if (!/^[0-9A-Z]{5}$/.test(codeOf(error) ?? "")) this.close();
      throw error;
    }
  }

  /** Says whom to tell of notifications. */
  onNotification(tell: () => void): void {
    this.#client.on("notification", tell);
  }

  /** Says whom to tell when it is gone: once, and at once if it is. */
  onGone(tell: () => void): void {
    if (this.#isGone) tell();
    else this.#tell = tell;
  }

  /** Ends it at once. */
  close(): void {
    this.#gone();
    // Where nothing answers, saying goodbye would wait for ever.
    this.#client.end().catch(() => {});
    this.#client.connection.stream.destroy();
  }

  /** Ends it after what is under way; the database hears of it. */
  async end(): Promise<void> {
    this.#gone();
    await this.#client.end().catch(() => {});
  }

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#tell?.();
  }
}

/** A host that takes no writes; said as PostgreSQL says it. */
class ReadOnlyError extends Error {
  override name = "ReadOnlyError";
  readonly code = "25006";

  constructor() {
    super("the host takes no writes");
  }
}
