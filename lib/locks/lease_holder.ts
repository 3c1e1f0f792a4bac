/** A lease and the two things that can happen to it: it is given back, or lost. */

import type { CloseReason } from "../contracts/event.ts";
import type { Lease } from "../contracts/login_service.ts";

/** How a {@linkcode LeaseHolder} works. */
export interface LeaseHolderOptions {
  /** Gives the lock back; called once. */
  readonly release: (ending: CloseReason) => void | Promise<void>;
  /**
   * Asks whoever keeps the lock for how many milliseconds it is held from now on; see {@linkcode Lease.claim}.
   *
   * @default {a lease is held until it is given back or lost}
   */
  readonly claim?: () => Promise<number>;
}

/** A lease as its keeper holds it. */
export class LeaseHolder implements Lease {
  readonly #claim: (() => Promise<number>) | undefined;
  #release: ((ending: CloseReason) => void | Promise<void>) | undefined;
  #tell: (() => void) | undefined;
  #isLost = false;

  constructor({ release, claim }: LeaseHolderOptions) {
    this.#release = release;
    this.#claim = claim;
  }

  onLost(tell: () => void): void {
    if (this.#isLost) tell();
    else this.#tell = tell;
  }

  async claim(): Promise<number> {
    if (this.#isLost || this.#release === undefined) return 0;
    const held = await this.#claim?.() ?? Infinity;
    return this.#isLost ? 0 : held;
  }

  /** Says that the lock is lost; a second time does nothing. */
  lose(): void {
    this.#isLost = true;
    const tell = this.#tell;
    this.#tell = undefined;
    tell?.();
  }

  /** Gives the lock back; a second time does nothing. */
  async release(ending: CloseReason): Promise<void> {
    const release = this.#release;
    this.#release = undefined;
    this.#tell = undefined;
    await release?.(ending);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release("error");
  }
}
