/** The threads that serve slow mailboxes for one thread: made when they are needed, bounded, and left alone while they hang. */

import type { Yielder } from "../../async/yielder.ts";
import type { HeldFolders } from "../../contracts/held_folders.ts";
import { MaildropUnavailableError, type MailStore } from "../../contracts/mail_store.ts";
import type { SlowPlace } from "../folder_probe.ts";
import type { RootedSettings } from "../store_settings.ts";
import { hangs, MailThread } from "./mail_thread.ts";
import { ThreadedMailStore } from "./threaded_mail_store.ts";

/** Threads at most, those included that hang: each takes some 10 MiB. */
export const MOST_MAIL_THREADS = 8;
/** How long, in milliseconds, a thread that serves nobody is kept. */
const IDLE_MS = 60_000;

/** What the threads are made with. */
export interface MailThreadsOptions {
  /** Starts a thread. */
  readonly start: () => Promise<MessagePort>;
  readonly held: (root: string, homes: readonly string[]) => HeldFolders;
  readonly yielder: Yielder;
  readonly warn: (message: string, properties?: Record<string, unknown>) => void;
  /** Milliseconds between two looks whether a thread hangs, for tests. */
  readonly look?: number;
}

/** A thread that is starting, or runs. */
interface Started {
  readonly thread: Promise<MailThread>;
  running: MailThread | undefined;
  idle: ReturnType<typeof setTimeout> | undefined;
}

/** The threads. */
export class MailThreads {
  readonly #options: MailThreadsOptions;
  /** By what they serve: a remote file system, or one slow mailbox. */
  readonly #started = new Map<string, Started>();
  /** Those that hang, and the mailboxes that something was asked of then. */
  readonly #hung = new Map<Started, ReadonlySet<string>>();

  constructor(options: MailThreadsOptions) {
    this.#options = options;
  }

  /**
   * Finds the store of a mailbox that must not be worked on here.
   *
   * @param settings the same object as long as they are in force
   * @throws {MaildropUnavailableError} when the mailbox hangs, or too many others do
   */
  async storeOf(
    mailbox: string,
    place: SlowPlace,
    settings: RootedSettings,
  ): Promise<MailStore> {
    for (const mailboxes of this.#hung.values()) {
      if (mailboxes.has(mailbox)) throw hangs(mailbox);
    }
    const key = place.device === undefined ? mailbox : `device ${place.device}`;
    const started = this.#started.get(key) ?? this.#start(key) ?? this.#shared(mailbox);
    const thread = await started.thread;
    this.#endWhenIdle(key, started);
    return new ThreadedMailStore({ thread, mailbox, settings, yielder: this.#options.yielder });
  }

  /** Undefined when there are too many. */
  #start(key: string): Started | undefined {
    if (this.#started.size + this.#hung.size >= MOST_MAIL_THREADS) return undefined;
    const started: Started = {
      thread: this.#options.start().then((port) => this.#made(key, started, port)),
      running: undefined,
      idle: undefined,
    };
    this.#started.set(key, started);
    started.thread.catch(() => this.#forget(key, started));
    return started;
  }

  /** The one that serves the fewest. */
  #shared(mailbox: string): Started {
    const all = [...this.#started.values()];
    const fewest =
      all.toSorted((a, b) => (a.running?.maildrops ?? 0) - (b.running?.maildrops ?? 0))[0];
    if (fewest !== undefined) return fewest;
    throw new MaildropUnavailableError(
      `${mailbox} is slow, and all ${MOST_MAIL_THREADS} threads for such mailboxes hang.`,
    );
  }

  #made(key: string, started: Started, port: MessagePort): MailThread {
    const { held, look, warn } = this.#options;
    const thread = new MailThread({
      port,
      held,
      warn,
      ...(look !== undefined && { look }),
      hung: (mailboxes) => {
        this.#forget(key, started);
        this.#hung.set(started, mailboxes);
      },
      ended: () => {
        this.#hung.delete(started);
        this.#forget(key, started);
      },
    });
    started.running = thread;
    return thread;
  }

  #forget(key: string, started: Started): void {
    clearTimeout(started.idle);
    if (this.#started.get(key) === started) this.#started.delete(key);
  }

  #endWhenIdle(key: string, started: Started): void {
    clearTimeout(started.idle);
    started.idle = setTimeout(() => {
      if (!started.running?.isIdle) return this.#endWhenIdle(key, started);
      this.#forget(key, started);
      started.running.end();
    }, IDLE_MS);
    Deno.unrefTimer(started.idle);
  }
}
