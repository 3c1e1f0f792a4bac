/** A lease and the two things that can happen to it: it is given back, or lost. */

import type { Lease } from "../contracts/login_service.ts";

/** A lease as its keeper holds it. */
export class LeaseHolder implements Lease {
  #release: (() => void) | undefined;
  #tell: (() => void) | undefined;
  #isLost = false;

  /** @param release gives the lock back; called once */
  constructor(release: () => void) {
    this.#release = release;
  }

  /** See {@linkcode Lease.onLost}. */
  onLost(tell: () => void): void {
    if (this.#isLost) tell();
    else this.#tell = tell;
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
