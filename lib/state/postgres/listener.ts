/** Hears at once that there are signals, where the database can wake listeners; nothing depends on it. */

import { delay } from "../../async/delay.ts";
import { StateStoreError } from "../../contracts/state_store.ts";
import type { DatabaseConnection } from "./connection.ts";
import type { Database } from "./database.ts";
import { CHANNEL } from "./signals.ts";

/** Milliseconds in which a notification comes, where any does. */
const HEARS_WITHIN = 2000;
const RETRY_AFTER = 1000;

/** What a listener works with. */
export interface ListenerOptions {
  readonly database: Database;
  /** Told at each notification. */
  readonly heard: () => void;
  /** Told once when nothing is heard: through pgbouncer, say, LISTEN says yes and hears nothing. */
  readonly deaf: () => void;
}

/** Listens on a connection of its own, made anew when it is lost. Disposing ends it. */
export class Listener implements AsyncDisposable {
  readonly #options: ListenerOptions;
  #connection: DatabaseConnection | undefined;
  #isEnded = false;
  #hasHeard = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Listens from now on. Settles when it is known whether anything is heard; never rejects. */
  async listen(): Promise<void> {
    const { database } = this.#options;
    try {
      const connection = await database.separate();
      if (this.#isEnded) return await connection.end();
      this.#connection = connection;
      const first = Promise.withResolvers<void>();
      connection.onNotification(() => {
        first.resolve();
        this.#hasHeard = true;
        this.#options.heard();
      });
      connection.onGone(() => void this.#again());
      await connection.query(`LISTEN ${CHANNEL}`);
      if (this.#hasHeard) return this.#options.heard();
      await database.query(`SELECT pg_notify('${CHANNEL}', '')`);
      await Promise.race([first.promise, delay(HEARS_WITHIN, { persistent: false })]);
      if (this.#hasHeard || connection.isGone || this.#isEnded) return;
      this.#isEnded = true;
      await connection.end();
      this.#options.deaf();
    } catch (error) {
      if (this.#isEnded) return;
      if (error instanceof StateStoreError && error.trouble !== "unusable") {
        return void this.#again();
      }
      // The database knows no LISTEN.
      this.#isEnded = true;
      this.#connection?.close();
      this.#options.deaf();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    await this.#connection?.end();
  }

  async #again(): Promise<void> {
    await delay(RETRY_AFTER, { persistent: false });
    if (this.#isEnded || (this.#connection !== undefined && !this.#connection.isGone)) return;
    await this.listen();
  }
}
