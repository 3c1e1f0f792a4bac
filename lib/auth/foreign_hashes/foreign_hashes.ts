/** Checks passwords against hashes that other servers made, in a few workers, each address in its turn. */

import { FairQueue } from "../../async/fair_queue.ts";
import { UserDirectoryError } from "../../contracts/user_directory.ts";
import type { ForeignHash } from "../../contracts/user_source.ts";
import { type ForeignAnswer, type ForeignQuestion, STARTED } from "./foreign_messages.ts";
import { costOf } from "./hash_cost.ts";

/** A password to be checked. */
export interface ForeignCheck {
  readonly password: string;
  /** The user's hash; undefined for a name that has none, which is never right. */
  readonly own: ForeignHash | undefined;
  /** The hash whose check costs the most of all that there are. */
  readonly costliest: ForeignHash;
  /** Who asks, such as the client's network: each asker has its turn. */
  readonly from: string;
  /** Whose password it is said to be. */
  readonly user: string;
}

/** How passwords are checked. */
export interface ForeignHashesOptions {
  /** How many are checked at once. @default {navigator.hardwareConcurrency} */
  readonly threads?: number;
  /** Milliseconds after which a check is given up. @default {10_000} */
  readonly timeLimit?: number;
  /** Milliseconds that an idle worker is kept for the next check. @default {0} */
  readonly keep?: number;
}

interface Job {
  readonly question: ForeignQuestion;
  readonly user: string;
  readonly settle: PromiseWithResolvers<boolean>;
}

/** No honest password is longer, and SHA512-CRYPT's work grows with it. */
const MAX_PASSWORD_OCTETS = 1024;
/** How many may wait in all, and for one user; each costs a worker up to a second. */
const MOST_WAITING = 1000;
const MOST_WAITING_PER_USER = 20;
/** Milliseconds for a worker to end a check by itself before its thread is given up. */
const GRACE_MS = 200;
/** Milliseconds that a worker may take to start. */
const START_LIMIT_MS = 60_000;
/** Times of the costliest hash that are remembered. */
const MOST_TIMES = 9;
/** Costs that differ by less are one. */
const SAME_COST = 0.02;

/** Checks foreign hashes. Workers end when there was no work for a while; disposing ends them at once. */
export class ForeignHashes implements Disposable {
  readonly #options: Required<ForeignHashesOptions>;
  readonly #queue = new FairQueue<Job>();
  /** How many checks of each user wait or are under way. */
  readonly #users = new Map<string, number>();
  readonly #workers = new Set<HashWorker>();
  /** Milliseconds that the costliest hash took when it was checked lately, the youngest last, and which that is. */
  #decoy: { readonly data: string; readonly took: number[] } = { data: "", took: [] };

  constructor(options: ForeignHashesOptions = {}) {
    this.#options = {
      threads: navigator.hardwareConcurrency,
      timeLimit: 10_000,
      keep: 0,
      ...options,
    };
  }

  /**
   * Checks a password. Refusing one takes the same work whoever it is for.
   *
   * @throws {UserDirectoryError} when it could not be checked, or not now
   */
  async verify({ password, own, costliest, from, user }: ForeignCheck): Promise<boolean> {
    const octets = new TextEncoder().encode(password).length;
    if (octets === 0 || octets > MAX_PASSWORD_OCTETS) return false;
    const waiting = this.#users.get(user) ?? 0;
    if (this.#queue.size >= MOST_WAITING || waiting >= MOST_WAITING_PER_USER) {
      const many = waiting >= MOST_WAITING_PER_USER ? waiting : this.#queue.size;
      throw new UserDirectoryError(`${many} logins wait already for an imported password's check`);
    }
    const settle = Promise.withResolvers<boolean>();
    const { timeLimit } = this.#options;
    const question = { password, timeLimit, ...this.#decoyFor(own, costliest) };
    this.#users.set(user, waiting + 1);
    this.#queue.push(from, { question, user, settle });
    this.#assign();
    try {
      return await settle.promise;
    } catch (error) {
      // Nobody's password is wrong, whatever became of the check that should take as long as another's.
      if (own === undefined) return false;
      throw error;
    }
  }

  /** Ends all workers; what waits is refused. */
  [Symbol.dispose](): void {
    for (const worker of this.#workers) worker.end("the server is shutting down");
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      this.#failed(job, "the server is shutting down");
    }
  }

  #decoyFor(
    own: ForeignHash | undefined,
    costliest: ForeignHash,
  ): Pick<ForeignQuestion, "own" | "decoy" | "spend"> {
    if (own === undefined) return { decoy: costliest };
    const most = costOf(costliest).milliseconds;
    if (costOf(own).milliseconds >= most * (1 - SAME_COST)) return { own };
    const spend = this.#decoy.data === costliest.data ? median(this.#decoy.took) : undefined;
    return { own, decoy: costliest, spend };
  }

  /** Hands what waits to workers that are free. */
  #assign(): void {
    while (this.#queue.size > 0) {
      const worker = this.#freeWorker();
      const job = worker && this.#queue.shift();
      if (worker === undefined || job === undefined) return;
      worker.check(job.question, (answer) => this.#answered(job, answer));
    }
  }

  #freeWorker(): HashWorker | undefined {
    for (const worker of this.#workers) if (worker.free) return worker;
    if (this.#workers.size >= this.#options.threads) return undefined;
    const worker = new HashWorker(this.#options, () => this.#workers.delete(worker));
    this.#workers.add(worker);
    return worker;
  }

  #answered(job: Job, answer: ForeignAnswer): void {
    if ("trouble" in answer) this.#failed(job, answer.trouble);
    else {
      if (answer.decoyTook !== undefined) this.#decoyTook(job.question.decoy, answer.decoyTook);
      this.#leave(job);
      job.settle.resolve(answer.right);
    }
    this.#assign();
  }

  #decoyTook(decoy: ForeignHash | undefined, milliseconds: number): void {
    const { data = "" } = decoy ?? {};
    if (this.#decoy.data !== data) this.#decoy = { data, took: [] };
    this.#decoy.took.push(milliseconds);
    if (this.#decoy.took.length > MOST_TIMES) this.#decoy.took.shift();
  }

  #failed(job: Job, reason: string): void {
    this.#leave(job);
    const text = `An imported password hash could not be checked: ${reason}`;
    job.settle.reject(new UserDirectoryError(text));
  }

  #leave({ user }: Job): void {
    const others = this.#users.get(user)! - 1;
    if (others > 0) this.#users.set(user, others);
    else this.#users.delete(user);
  }
}

function median(times: readonly number[]): number | undefined {
  return times.toSorted((one, other) => one - other)[times.length >> 1];
}

/** One worker, which checks one password at a time. */
class HashWorker {
  readonly #options: Required<ForeignHashesOptions>;
  readonly #ended: () => void;
  readonly #worker: Worker;
  #started = false;
  #answer: ((answer: ForeignAnswer) => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param ended told when it is no longer there */
  constructor(options: Required<ForeignHashesOptions>, ended: () => void) {
    this.#options = options;
    this.#ended = ended;
    this.#worker = new Worker(new URL("./foreign_hash_worker.ts", import.meta.url), {
      type: "module",
      deno: { permissions: "none" },
    });
    this.#worker.onmessage = ({ data }: MessageEvent<ForeignAnswer | typeof STARTED>) =>
      data === STARTED ? this.#begin() : this.#answered(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.end(event.message);
    };
    this.#endAfter(START_LIMIT_MS, `the thread did not start within ${START_LIMIT_MS} ms`);
  }

  /** Whether it has nothing to do. */
  get free(): boolean {
    return this.#answer === undefined;
  }

  /** Checks a password; `answer` is told what came of it, whatever happens. */
  check(question: ForeignQuestion, answer: (answer: ForeignAnswer) => void): void {
    this.#answer = answer;
    this.#worker.postMessage(question);
    if (this.#started) this.#begin();
  }

  /** Ends the thread; a check under way has failed for this reason. */
  end(reason: string): void {
    clearTimeout(this.#timer);
    this.#worker.terminate();
    this.#ended();
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.({ trouble: reason });
  }

  #begin(): void {
    const { timeLimit } = this.#options;
    this.#started = true;
    this.#endAfter(timeLimit + GRACE_MS, "it took too long");
  }

  #answered(data: ForeignAnswer): void {
    clearTimeout(this.#timer);
    const answer = this.#answer;
    this.#answer = undefined;
    // Whoever is told may have the next question.
    answer?.(data);
    if (!this.free) return;
    const { keep } = this.#options;
    if (keep <= 0) return this.end("");
    this.#endAfter(keep, "");
    Deno.unrefTimer(this.#timer!);
  }

  #endAfter(milliseconds: number, reason: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.end(reason), milliseconds);
  }
}
