/** Keeps the SCRAM keys that good logins teach, and tries again later where they cannot be kept. */

import type { FoundUser, ScramKeys, UserSource } from "../contracts/user_source.ts";

/** What a learner works with. */
export interface KeyLearnerOptions {
  /** Told when keys cannot be kept, once until they can be again. */
  readonly onTrouble?: (error: Error) => void;
  /** Told when keys can be kept again. */
  readonly onKept?: () => void;
  /** Milliseconds between two tries while keys cannot be kept. @default {1000} */
  readonly retryAfter?: number;
  /** Milliseconds of a clock that never goes back. @default {performance.now} */
  readonly now?: () => number;
}

/** Users whose keys wait for a disk that takes them; those of others are learned at a later login. */
const MOST_OWED = 10_000;
/** Keys that one login writes for others. */
const AT_ONCE = 8;

interface Owed {
  readonly source: UserSource;
  readonly user: FoundUser;
  readonly keys: ScramKeys;
}

/** Keeps learned keys. A login is good whether they can be kept or not, and waits for no disk that takes nothing. */
export class KeyLearner {
  readonly #options: KeyLearnerOptions;
  readonly #owed = new Map<string, Owed>();
  #failing = false;
  #nextTry = -Infinity;

  constructor(options: KeyLearnerOptions = {}) {
    this.#options = options;
  }

  /** How many users' keys wait. */
  get owed(): number {
    return this.#owed.size;
  }

  /** Keeps keys, now or when it can be done. Never rejects. */
  async learn(source: UserSource, user: FoundUser, keys: ScramKeys): Promise<void> {
    const known = this.#owed.has(user.name);
    if (known || this.#owed.size < MOST_OWED) this.#owed.set(user.name, { source, user, keys });
    await this.retry();
  }

  /** Keeps some of what waits, unless that failed just now; meant for every good login. Never rejects. */
  async retry(): Promise<void> {
    if (this.#owed.size === 0) return;
    const { now = () => performance.now(), retryAfter = 1000 } = this.#options;
    if (now() < this.#nextTry) return;
    for (const [name, owed] of [...this.#owed].slice(0, AT_ONCE)) {
      try {
        await owed.source.learn(owed.user, owed.keys);
      } catch (error) {
        this.#nextTry = now() + retryAfter;
        return this.#failed(error instanceof Error ? error : new Error(String(error)));
      }
      if (this.#owed.get(name) === owed) this.#owed.delete(name);
      this.#kept();
    }
  }

  #failed(error: Error): void {
    if (!this.#failing) this.#options.onTrouble?.(error);
    this.#failing = true;
  }

  #kept(): void {
    if (this.#failing) this.#options.onKept?.();
    this.#failing = false;
  }
}
