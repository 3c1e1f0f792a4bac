/** Lets the access log forget records that are too old, on each day that the server runs. */

import type { RunningTime } from "../async/running_time.ts";
import type { AccessLog } from "../contracts/record_store.ts";
import { logger } from "../log/logging.ts";

const log = logger("access");

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

/** What the days are counted by. */
export interface AccessLogDaysOptions {
  readonly accesses: Pick<AccessLog, "forgetOld">;
  readonly running: RunningTime;
  /** Milliseconds between two looks at the time. @default {3600000} */
  readonly interval?: number;
}

/** Tells the access log of each day, from its making on. Disposing waits for what is under way. */
export class AccessLogDays implements AsyncDisposable {
  readonly #options: AccessLogDaysOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #told = -1;
  #telling: Promise<void> = Promise.resolve();

  constructor(options: AccessLogDaysOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.look(), options.interval ?? HOUR);
    Deno.unrefTimer(this.#timer);
    this.look();
  }

  /** Tells of the present day, unless it was told. Settles when the log has forgotten what is too old; a failure is logged, and repeated. */
  look(): Promise<void> {
    this.#telling = this.#telling.then(() => this.#tell());
    return this.#telling;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#telling;
  }

  async #tell(): Promise<void> {
    const { accesses, running } = this.#options;
    const day = Math.floor(running.now() / DAY);
    if (day === this.#told) return;
    try {
      await accesses.forgetOld(day);
      this.#told = day;
    } catch (error) {
      log.warn("Old records of the access log cannot be removed: {error}", { error });
    }
  }
}
