/** What must be written some time: at once where the database answers, kept in bounded memory where it does not. */

import { StateStoreError } from "../../contracts/state_store.ts";

/** Items that wait at most; of more, the oldest are lost. */
const MOST_WAITING = 100_000;
/** Items of one statement. */
const MOST_AT_ONCE = 250;
/** Milliseconds between two tries. */
const RETRY_AFTER = 1000;

/** How an {@linkcode Outbox} works. */
export interface OutboxOptions<T> {
  /** Writes items; what it rejects with may have been done, and is repeated. */
  readonly send: (items: readonly T[]) => Promise<void>;
  /** Told once when items cannot be written. */
  readonly onTrouble: (error: Error) => void;
  /** Told when they can be written again, and how many were lost because too many waited. */
  readonly onRecovery: (lost: number) => void;
}

interface Waiting<T> {
  readonly item: T;
  readonly done: () => void;
}

/** Writes items in order, one statement at a time. What comes while none is under way goes at once. */
export class Outbox<T> {
  readonly #options: OutboxOptions<T>;
  #waiting: Waiting<T>[] = [];
  #sending: readonly Waiting<T>[] = [];
  #work: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isFailing = false;
  #lost = 0;

  constructor(options: OutboxOptions<T>) {
    this.#options = options;
  }

  /** What is not written yet, oldest first. */
  get items(): readonly T[] {
    return [...this.#sending, ...this.#waiting].map(({ item }) => item);
  }

  /** Takes an item. Settles when it is written, or when that cannot be waited for; never rejects. */
  add(item: T): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ item, done: resolve });
    if (this.#waiting.length > MOST_WAITING) {
      this.#waiting.shift()?.done();
      this.#lost++;
    }
    if (this.#isFailing) resolve();
    else this.#begin();
    return promise;
  }

  /** Tries now: the database may be back. Settles when all is written, or cannot be. */
  async retry(): Promise<void> {
    clearTimeout(this.#timer);
    this.#begin();
    await this.#work;
  }

  #begin(): void {
    this.#work ??= this.#send().finally(() => this.#work = undefined);
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.#sending = this.#waiting.splice(0, MOST_AT_ONCE);
      try {
        await this.#options.send(this.#sending.map(({ item }) => item));
      } catch (error) {
        if (!(error instanceof StateStoreError)) throw error;
        return this.#failed(error);
      }
      for (const { done } of this.#sending) done();
      this.#sending = [];
      if (this.#isFailing) this.#options.onRecovery(this.#lost);
      this.#isFailing = false;
      this.#lost = 0;
    }
  }

  #failed(error: Error): void {
    this.#waiting = [...this.#sending, ...this.#waiting];
    this.#sending = [];
    if (!this.#isFailing) this.#options.onTrouble(error);
    this.#isFailing = true;
    for (const { done } of this.#waiting) done();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#begin(), RETRY_AFTER);
    Deno.unrefTimer(this.#timer);
  }
}
