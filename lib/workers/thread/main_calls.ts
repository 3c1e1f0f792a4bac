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
    const { call, answer } = this.#put(method, args);
    const taken = Promise.withResolvers<never>();
    const cancel = (): void => {
      this.#waiting.delete(call);
      this.#post({ type: "cancel", call });
      taken.reject(signal?.reason);
    };
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await (signal === undefined ? answer : Promise.race([answer, taken.promise]));
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /**
   * Asks the main thread, which is told when nobody waits for the answer any more; it answers all the same.
   *
   * @throws {Error} when the main thread could not answer
   */
  async ask<K extends keyof MainMethods>(
    method: K,
    args: Parameters<MainMethods[K]>,
    gone?: AbortSignal,
  ): Promise<Awaited<ReturnType<MainMethods[K]>>> {
    const { call, answer } = this.#put(method, args);
    const tell = (): void => this.#post({ type: "cancel", call });
    if (gone?.aborted) tell();
    gone?.addEventListener("abort", tell, { once: true });
    try {
      return await answer;
    } finally {
      gone?.removeEventListener("abort", tell);
    }
  }

  #put<K extends keyof MainMethods>(
    method: K,
    args: Parameters<MainMethods[K]>,
  ): { readonly call: number; readonly answer: ReturnType<MainMethods[K]> } {
    const call = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(call, { resolve, reject });
    this.#post({ type: "call", call, method, args, events: this.#events() } as Call);
    // The main thread answers a method with what MainMethods says it gives.
    return { call, answer: promise as ReturnType<MainMethods[K]> };
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
