/** A worker's questions to the main thread, each waiting for its answer. */

import type { Call, FromWorker, MainMethods } from "../messages.ts";
import type { PackedEvents } from "../packed_events.ts";

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Asks, and matches answers to questions. */
export class MainCalls {
  readonly #post: (message: FromWorker) => void;
  readonly #events: () => PackedEvents;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  /**
   * @param post sends to the main thread
   * @param events takes what happened and was not told: whoever asks for a session must have told of it
   */
  constructor(post: (message: FromWorker) => void, events: () => PackedEvents) {
    this.#post = post;
    this.#events = events;
  }

  /**
   * Asks the main thread.
   *
   * @param signal takes the question back
   * @throws {Error} when the main thread could not answer
   * @throws the signal's reason
   */
  async call<K extends keyof MainMethods>(
    method: K,
    args: Parameters<MainMethods[K]>,
    signal?: AbortSignal,
  ): Promise<Awaited<ReturnType<MainMethods[K]>>> {
    signal?.throwIfAborted();
    const call = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(call, { resolve, reject });
    const cancel = (): void => {
      this.#waiting.delete(call);
      this.#post({ type: "cancel", call });
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", cancel, { once: true });
    this.#post({ type: "call", call, method, args, events: this.#events() } as Call);
    try {
      // The main thread answers a method with what MainMethods says it gives.
      return await promise as Awaited<ReturnType<MainMethods[K]>>;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** Takes an answer. */
  answered(call: number, value: unknown): void {
    this.#take(call)?.resolve(value);
  }

  /** Takes a failure. */
  failed(call: number, message: string): void {
    this.#take(call)?.reject(new Error(message));
  }

  #take(call: number): Waiting | undefined {
    const waiting = this.#waiting.get(call);
    this.#waiting.delete(call);
    return waiting;
  }
}
