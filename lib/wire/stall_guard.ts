/** Waiting for the client with an end to the patience: one timer a connection, moved lazily. */

import type { CloseReason } from "../observe/event.ts";

/** A connection that broke, or was closed, while something was read or written. */
export class ConnectionLostError extends Error {
  override name = "ConnectionLostError";
}

/**
 * Watches one wait at a time. A wait that begins costs no new timer as a rule: the one that runs looks, when it fires,
 * how much of the patience is left.
 */
export class StallGuard {
  readonly #stalled: (reason: CloseReason) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firesAt = Infinity;
  #deadline = Infinity;
  #reason: CloseReason = "idle";

  /** @param stalled told when a wait has lasted too long; it closes the connection, which ends the wait */
  constructor(stalled: (reason: CloseReason) => void) {
    this.#stalled = stalled;
  }

  /**
   * Waits for something that only the client can bring about.
   *
   * @param milliseconds of patience; 0 waits for ever
   * @param reason what to close with when it is over
   * @param pending a read or write of the connection
   * @throws {ConnectionLostError} when it fails
   */
  async watch<T>(milliseconds: number, reason: CloseReason, pending: Promise<T>): Promise<T> {
    if (milliseconds > 0) {
      this.#deadline = performance.now() + milliseconds;
      this.#reason = reason;
      if (this.#firesAt > this.#deadline) this.#arm(milliseconds);
    }
    try {
      return await pending;
    } catch (cause) {
      throw new ConnectionLostError("The connection was lost", { cause });
    } finally {
      this.#deadline = Infinity;
    }
  }

  /** Stops for good. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#firesAt = Infinity;
  }

  #arm(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = performance.now() + milliseconds;
    this.#timer = setTimeout(() => this.#look(), milliseconds);
  }

  #look(): void {
    this.#firesAt = Infinity;
    const left = this.#deadline - performance.now();
    if (left === Infinity) return;
    if (left > 0) this.#arm(left);
    else this.#stalled(this.#reason);
  }
}
