/** A lease and the two things that can happen to it: it is given back, or lost. */

import type { Lease } from "../contracts/login_service.ts";

/** How a {@linkcode LeaseHolder} works. */
export interface LeaseHolderOptions {
  /** Gives the lock back; called once. */
  readonly release: () => void;
  /**
   * Asks whoever keeps the lock whether it is held still.
   *
   * @default {a lease is held until it is given back or lost}
   */
  readonly ask?: () => Promise<boolean>;
}

/** A lease as its keeper holds it. */
export class LeaseHolder implements Lease {
  readonly #ask: (() => Promise<boolean>) | undefined;
  #release: (() => void) | undefined;
  #tell: (() => void) | undefined;
  #isLost = false;

  constructor({ release, ask }: LeaseHolderOptions) {
    this.#release = release;
    this.#ask = ask;
  }

  onLost(tell: () => void): void {
    if (this.#isLost) tell();
    else this.#tell = tell;
  }

  async check(): Promise<boolean> {
    if (this.#isLost || this.#release === undefined) return false;
    return await this.#ask?.() ?? true;
  }

  /** Says that the lock is lost; a second time does nothing. */
  lose(): void {
    this.#isLost = true;
    const tell = this.#tell;
    this.#tell = undefined;
    tell?.();
  }

  /** Gives the lock back; a second time does nothing. */
  [Symbol.asyncDispose](): Promise<void> {
    const release = this.#release;
    this.#release = undefined;
    this.#tell = undefined;
    release?.();
    return Promise.resolve();
  }
}
