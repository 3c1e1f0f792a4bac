/** A thread that serves slow mailboxes, as those see it who have it do so: it is asked, and given up when one of its file calls hangs. */

import { type HeldFolders, HelperError, NoHelperError } from "../../contracts/held_folders.ts";
import {
  MaildropUnavailableError,
  type MayRemove,
  type RaiseFence,
} from "../../contracts/mail_store.ts";
import { type RootedSettings, storeSettings } from "../store_settings.ts";
import { errorOf } from "./mail_failure.ts";
import type {
  BackAnswer,
  BackQuestion,
  FromMailThread,
  MailCall,
  MailThreadMethods,
  ToMailThread,
} from "./messages.ts";
import { LentPermit } from "./shared_permit.ts";

/** Milliseconds between two looks whether the thread has gone on, and how many in a row may show that it has not: ten seconds. */
const LOOK_MS = 500;
const MOST_SILENT = 20;
/** The same while it starts, which takes long on a busy machine. */
const MOST_SILENT_AT_START = 120;

/** What a thread is made with. */
export interface MailThreadOptions {
  /** To the thread; it begins to serve when it has been loaded. */
  readonly port: MessagePort;
  /** Carries out what it asks for in held folders. */
  readonly held: (root: string, homes: readonly string[]) => HeldFolders;
  readonly warn: (message: string, properties?: Record<string, unknown>) => void;
  /** Told once when one of its calls hangs, with the mailboxes that something was asked of: nothing is asked of it any more. */
  readonly hung: (mailboxes: ReadonlySet<string>) => void;
  /** Told when it has ended, be it that the call which hung has come back at last. */
  readonly ended: () => void;
  /** Milliseconds between two looks, for tests. @default {500} */
  readonly look?: number;
}

interface Waiting {
  readonly mailbox: string;
  readonly fence: RaiseFence | undefined;
  /** Lent to the thread until it has answered. */
  permit: LentPermit | undefined;
  resolve(value: never): void;
  reject(error: Error): void;
}

/** One thread. */
export class MailThread {
  readonly #options: MailThreadOptions;
  readonly #waiting = new Map<number, Waiting>();
  #settings: RootedSettings | undefined;
  #last = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #silent = 0;
  #isReady = false;
  #isAsked = false;
  #over: "hung" | "ended" | undefined;
  /** Maildrops that are open in it. */
  maildrops = 0;

  constructor(options: MailThreadOptions) {
    this.#options = options;
    options.port.onmessage = ({ data }: MessageEvent<FromMailThread>) => this.#take(data);
  }

  /** Whether nothing is open in it or asked of it. */
  get isIdle(): boolean {
    return this.maildrops === 0 && this.#waiting.size === 0;
  }

  /** Says by which settings it is to go from now on. */
  use(settings: RootedSettings): void {
    if (settings === this.#settings) return;
    this.#settings = settings;
    const { roots } = settings;
    this.#post({
      type: "settings",
      settings: { roots, settings: storeSettings(settings.settings) },
    });
  }

  /**
   * Asks for something.
   *
   * @param mailbox the path of the mailbox that it is of
   * @param signal ends the waiting
   * @param late takes an answer that nobody waits for any more
   * @throws {MaildropUnavailableError} when the thread hangs
   * @throws the signal's reason
   */
  async ask<K extends keyof MailThreadMethods>(
    mailbox: string,
    method: K,
    args: AskArguments<K>,
    { signal, late, fence, mayRemove }: AskOptions<ReturnType<MailThreadMethods[K]>> = {},
  ): Promise<ReturnType<MailThreadMethods[K]>> {
    signal?.throwIfAborted();
    if (this.#over !== undefined) throw hangs(mailbox);
    const call = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<ReturnType<MailThreadMethods[K]>>();
    const cancel = (): void => {
      this.#post({ type: "cancel", call });
      if (late !== undefined) promise.then(late, () => {});
      taken.reject(signal?.reason);
    };
    const taken = Promise.withResolvers<never>();
    promise.catch(() => {}); // Nobody may wait for it any more.
    const permit = mayRemove && new LentPermit(mayRemove);
    this.#waiting.set(call, { mailbox, fence, permit, resolve, reject });
    const all = method === "remove" ? [...args, permit?.memory] : args;
    this.#post({ type: "call", call, method, args: all } as MailCall);
    this.#watch();
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await Promise.race([promise, taken.promise]);
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** Closes a message. */
  close(opened: number): void {
    this.#post({ type: "close", opened });
  }

  /** Ends it. Whoever waits is told that it hangs. */
  end(): void {
    this.#post({ type: "end" });
    this.#giveUp("ended");
  }

  #post(message: ToMailThread): void {
    if (this.#over === undefined) this.#options.port.postMessage(message);
  }

  #take(message: FromMailThread): void {
    this.#silent = 0;
    switch (message.type) {
      case "ready":
        this.#isReady = true;
        return;
      case "answer":
        return this.#settle(message.call)?.resolve(message.value as never);
      case "failure":
        return this.#settle(message.call)?.reject(errorOf(message.failure));
      case "back-question":
        if (this.#over === undefined) void this.#answerBack(message.request, message.question);
        return;
      case "warn":
        return this.#options.warn(message.message, message.properties);
      case "pong":
        this.#isAsked = false;
        return;
      case "ended":
        this.#giveUp("ended");
        this.#options.port.close();
        return this.#options.ended();
    }
  }

  async #answerBack(request: number, question: BackQuestion): Promise<void> {
    const answer = question.kind === "hold"
      ? await this.#hold(question.octets, question.root)
      : await this.#raiseFence(question.call);
    this.#post({ type: "back-answer", request, answer });
  }

  async #hold(octets: Uint8Array<ArrayBuffer>, root: string | undefined): Promise<BackAnswer> {
    const { maildir, homes } = this.#settings!.roots;
    try {
      const held = this.#options.held(maildir.real, homes.map(({ real }) => real));
      return { octets: await held.run(octets, root) };
    } catch (error) {
      if (error instanceof NoHelperError) return {};
      return { why: error instanceof HelperError ? error.message : String(error) };
    }
  }

  async #raiseFence(call: number): Promise<BackAnswer> {
    try {
      const mayRemove = await this.#waiting.get(call)?.fence?.();
      const waiting = this.#waiting.get(call);
      if (mayRemove === undefined || waiting === undefined) return {};
      waiting.permit = new LentPermit(mayRemove);
      return { permit: waiting.permit.memory };
    } catch (error) {
      return { why: error instanceof Error ? error.message : String(error) };
    }
  }

  #settle(call: number): Waiting | undefined {
    const waiting = this.#waiting.get(call);
    waiting?.permit?.[Symbol.dispose]();
    this.#waiting.delete(call);
    if (this.#waiting.size === 0) this.#rest();
    return waiting;
  }

  #watch(): void {
    this.#timer ??= setInterval(() => this.#look(), this.#options.look ?? LOOK_MS);
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#silent = 0;
  }

  /** Counts looks and no time: a thread that was busy itself must not take another for hung. */
  #look(): void {
    if (this.#isAsked && ++this.#silent >= (this.#isReady ? MOST_SILENT : MOST_SILENT_AT_START)) {
      // What it still would do is not wanted: it ends when its call comes back.
      this.#post({ type: "end" });
      const mailboxes = new Set([...this.#waiting.values()].map(({ mailbox }) => mailbox));
      this.#giveUp("hung");
      return this.#options.hung(mailboxes);
    }
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#post({ type: "ping" });
  }

  #giveUp(how: "hung" | "ended"): void {
    this.#over ??= how;
    this.#rest();
    for (const { mailbox, permit, reject } of this.#waiting.values()) {
      permit?.[Symbol.dispose]();
      reject(hangs(mailbox));
    }
    this.#waiting.clear();
  }
}

/** The permit to remove is made of {@linkcode AskOptions.mayRemove}. */
type AskArguments<K extends keyof MailThreadMethods> = K extends "remove"
  ? [maildrop: number, messages: readonly number[], by: string | undefined]
  : Parameters<MailThreadMethods[K]>;

/** How something is asked for. */
export interface AskOptions<T> {
  readonly signal?: AbortSignal | undefined;
  readonly late?: (value: T) => void;
  /** Makes sure of the lock before what has expired is removed. */
  readonly fence?: RaiseFence | undefined;
  /** Asked before each message is removed. */
  readonly mayRemove?: MayRemove | undefined;
}

/** Said of a mailbox whose thread hangs. */
export function hangs(mailbox: string): MaildropUnavailableError {
  return new MaildropUnavailableError(
    `${mailbox} does not answer: a file call in it, or in a mailbox of the same file system, hangs.`,
  );
}
