/** Asks whether a mailbox's file system answers before a thread waits for it: a dead file server would stop all sessions of the thread. */

import { MaildropUnavailableError } from "../contracts/mail_store.ts";

/** How long, in milliseconds, a file system may take to answer: mail programs wait for half a minute or more. */
const TIME_LIMIT_MS = 5000;
/** How long, in milliseconds, a file system that answered is not asked again: messages of one session come one after the other. */
const RECENT_MS = 1000;
/** Folders whose answer is waited for in vain: each holds one of the runtime's 32 threads for file calls. */
const MOST_HUNG = 16;
/** Folders of which is remembered when they answered; when there are more, all are forgotten. */
const MOST_REMEMBERED = 10_000;

/** The file systems of one thread's mailboxes. */
export class FolderProbe {
  readonly #timeLimit: number;
  /** When folders answered last, by `performance.now()`. */
  readonly #answered = new Map<string, number>();
  /** Folders that are being asked. */
  readonly #asked = new Map<string, Promise<void>>();
  /** Those of them that have not answered in time. */
  readonly #hung = new Set<string>();

  /** @param timeLimit milliseconds that an answer may take */
  constructor(timeLimit: number = TIME_LIMIT_MS) {
    this.#timeLimit = timeLimit;
  }

  /**
   * Waits until a folder's file system answers, whatever it answers; the thread goes on meanwhile.
   *
   * @param path of a folder, which need not exist
   * @param signal ends the waiting
   * @throws {MaildropUnavailableError} when it does not answer in time, at once when an earlier question still has no answer
   * @throws the signal's reason
   */
  check(path: string, signal?: AbortSignal): Promise<void> {
    const answered = this.#answered.get(path);
    if (answered !== undefined && performance.now() - answered < RECENT_MS) return ANSWERED;
    if (this.#hung.has(path)) return Promise.reject(hangs(path));
    if (this.#hung.size >= MOST_HUNG && answered === undefined) {
      return Promise.reject(
        new MaildropUnavailableError(
          `${path} is not asked for, since ${MOST_HUNG} other mailboxes do not answer.`,
        ),
      );
    }
    return this.#wait(path, signal);
  }

  async #wait(path: string, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const early = Promise.withResolvers<never>();
    const gone = (): void => early.reject(signal?.reason);
    const timer = setTimeout(() => {
      if (this.#asked.has(path)) this.#hung.add(path);
      early.reject(hangs(path));
    }, this.#timeLimit);
    signal?.addEventListener("abort", gone, { once: true });
    try {
      await Promise.race([this.#asked.get(path) ?? this.#ask(path), early.promise]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", gone);
    }
  }

  /** Asks on another thread. Never rejects: that there is no such folder, or that it may not be entered, is an answer. */
  #ask(path: string): Promise<void> {
    const answered = (): void => {
      this.#asked.delete(path);
      this.#hung.delete(path);
      if (this.#answered.size >= MOST_REMEMBERED) this.#answered.clear();
      this.#answered.set(path, performance.now());
    };
    // One call that looks into the folder, and at what is in it.
    const asked = Deno.lstat(`${path}/new`).then(answered, answered);
    this.#asked.set(path, asked);
    return asked;
  }
}

const ANSWERED = Promise.resolve();

function hangs(path: string): MaildropUnavailableError {
  return new MaildropUnavailableError(
    `${path} does not answer: its disk or file server hangs.`,
  );
}
