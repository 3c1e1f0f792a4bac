/** Numbers for session workers, which name their sessions by them: reserved ahead, so that a full disk keeps no worker from being replaced. */

import type { Installation } from "../contracts/state_store.ts";
import { logger } from "../log/logging.ts";

const log = logger("workers");

/** Numbers reserved at a time. A worker that dies at once is replaced once a second. */
const RESERVED = 1024;

/** Gives out numbers that no worker has or had. */
export class SessionNumbers {
  readonly #installation: Pick<Installation, "reserveSessions">;
  #next: number;
  /** Behind the last that is reserved. */
  #end: number;
  #reserving: Promise<void> | undefined;
  #failing = false;

  private constructor(installation: Pick<Installation, "reserveSessions">, first: number) {
    this.#installation = installation;
    this.#next = first;
    this.#end = first + RESERVED;
  }

  /**
   * Reserves the first numbers.
   *
   * @throws {StateStoreError} when the state cannot be written
   */
  static async open(
    installation: Pick<Installation, "reserveSessions">,
  ): Promise<SessionNumbers> {
    return new SessionNumbers(installation, await installation.reserveSessions(RESERVED));
  }

  /**
   * The next number; more are reserved in time.
   *
   * @throws {StateStoreError} when all are used up and the state cannot be written
   */
  async take(): Promise<number> {
    if (this.#end - this.#next <= RESERVED / 2) {
      const reserved = this.#reserve();
      if (this.#next < this.#end) reserved.catch(this.#tell);
      else await reserved;
    }
    // Others may have waited for the same numbers.
    while (this.#next === this.#end) await this.#reserve();
    return this.#next++;
  }

  readonly #tell = (error: unknown): void => {
    if (!this.#failing) {
      log.warn("Numbers for new workers cannot be reserved, trying again: {error}", { error });
    }
    this.#failing = true;
  };

  #reserve(): Promise<void> {
    this.#reserving ??= this.#reserveNow().finally(() => this.#reserving = undefined);
    return this.#reserving;
  }

  async #reserveNow(): Promise<void> {
    const first = await this.#installation.reserveSessions(RESERVED);
    this.#failing = false;
    // Nobody else takes numbers of this state, so that they go on from the last.
    if (first !== this.#end) this.#next = first;
    this.#end = first + RESERVED;
  }
}
