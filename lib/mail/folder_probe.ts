/** Asks whether a mailbox's file system answers before a thread waits for it: a dead file server would stop all sessions of the thread. */

import { MaildropUnavailableError } from "../contracts/mail_store.ts";
import { isNotFound } from "../files/file_error.ts";

/** How long, in milliseconds, a file system may take to answer: mail programs wait for half a minute or more. */
const TIME_LIMIT_MS = 5000;
/** How long, in milliseconds, a file system that answered is not asked again: messages of one session come one after the other. */
export const RECENT_MS = 1000;
/** Folders whose answer is waited for in vain: each holds one of the runtime's 32 threads for file calls. */
const MOST_HUNG = 16;
/** Folders of which is remembered when they answered; when there are more, all are forgotten. */
const MOST_REMEMBERED = 10_000;
/** Milliseconds after which a file system that has not answered is slow: a local one takes some microseconds. */
const SLOW_MS = 100;
/** How long, in milliseconds, it counts as slow then. */
const SLOW_FOR_MS = 600_000;

/** Where a mailbox lies that no thread should wait for. */
export interface SlowPlace {
  /** The number of the remote file system; undefined where one mailbox was slow to answer. */
  readonly device: number | undefined;
}

/** How a {@linkcode FolderProbe} asks. */
export interface FolderProbeOptions {
  /** Milliseconds that an answer may take. @default {5000} */
  readonly timeLimit?: number;
  /** Whether a device is a file system of another machine, or of a program. @default none is */
  readonly isRemote?: (device: number) => Promise<boolean>;
}

/** What a folder answered. */
interface Answer {
  /** When, by `performance.now()`. */
  readonly at: number;
  /** Set where it is remote. */
  readonly place: SlowPlace | undefined;
}

/** The file systems of one thread's mailboxes. */
export class FolderProbe {
  readonly #timeLimit: number;
  readonly #isRemote: ((device: number) => Promise<boolean>) | undefined;
  readonly #answered = new Map<string, Answer>();
  /** Folders that were slow to answer, and until when they count as slow, by `performance.now()`. */
  readonly #slow = new Map<string, number>();
  /** Devices that were asked for. */
  readonly #devices = new Map<number, boolean>();
  /** Folders that are being asked. */
  readonly #asked = new Map<string, Promise<void>>();
  /** Those of them that have not answered in time. */
  readonly #hung = new Set<string>();

  constructor({ timeLimit = TIME_LIMIT_MS, isRemote }: FolderProbeOptions = {}) {
    this.#timeLimit = timeLimit;
    this.#isRemote = isRemote;
  }

  /** Whether a folder that answered is better waited for by another thread, and where it lies then. */
  slowPlace(path: string): SlowPlace | undefined {
    const remote = this.#answered.get(path)?.place;
    if (remote !== undefined || this.#slow.size === 0) return remote;
    const until = this.#slow.get(path);
    if (until === undefined) return undefined;
    if (performance.now() < until) return SLOW;
    this.#slow.delete(path);
    return undefined;
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
    if (answered !== undefined && performance.now() - answered.at < RECENT_MS) return ANSWERED;
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
    const late = this.#noteLate(path);
    const asked = deviceOf(path).then(async (device) => {
      clearTimeout(late.timer);
      const place = device !== undefined && await this.#lies(device) ? { device } : undefined;
      this.#asked.delete(path);
      this.#hung.delete(path);
      if (this.#answered.size >= MOST_REMEMBERED) this.#answered.clear();
      this.#answered.set(path, { at: performance.now(), place });
    });
    this.#asked.set(path, asked);
    return asked;
  }

  /** Notes that a folder is slow, unless it is this thread that is. */
  #noteLate(path: string): { timer: ReturnType<typeof setTimeout> } {
    const note = (): void => {
      if (this.#slow.size >= MOST_REMEMBERED) this.#slow.clear();
      this.#slow.set(path, performance.now() + SLOW_FOR_MS);
    };
    // An answer that came meanwhile is taken before the second timer runs out.
    const late = { timer: setTimeout(() => late.timer = setTimeout(note, 1), SLOW_MS) };
    return late;
  }

  /** Whether a device is remote. Known of each after it was asked for once. */
  async #lies(device: number): Promise<boolean> {
    const known = this.#devices.get(device);
    if (known !== undefined || this.#isRemote === undefined) return known ?? false;
    const isRemote = await this.#isRemote(device);
    if (this.#devices.size >= MOST_REMEMBERED) this.#devices.clear();
    this.#devices.set(device, isRemote);
    return isRemote;
  }
}

/** The device of a mailbox, or of where it would be made. One call, in most cases, looks into the folder and at what is in it. */
async function deviceOf(path: string): Promise<number | undefined> {
  const above = path.slice(0, path.lastIndexOf("/"));
  for (const place of [`${path}/new`, path, above]) {
    try {
      return (await Deno.lstat(place)).dev;
    } catch (error) {
      if (!isNotFound(error)) return undefined;
    }
  }
  return undefined;
}

const SLOW: SlowPlace = { device: undefined };
const ANSWERED = Promise.resolve();

function hangs(path: string): MaildropUnavailableError {
  return new MaildropUnavailableError(
    `${path} does not answer: its disk or file server hangs.`,
  );
}
