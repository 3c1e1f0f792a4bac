/** What runs in a thread that serves slow mailboxes: a mail store whose synchronous calls hold up nobody else. */

import { Yielder } from "../../async/yielder.ts";
import { type HeldFolders, HelperError } from "../../contracts/held_folders.ts";
import type { Maildrop, MailStore, RaiseFence, StoredMessage } from "../../contracts/mail_store.ts";
import type { RootedSettings } from "../store_settings.ts";
import { noHelper } from "../held/no_helper.ts";
import { failureOf } from "./mail_failure.ts";
import type {
  BackAnswer,
  BackQuestion,
  FromMailThread,
  MailCall,
  MailThreadMethods,
  NumberedOutcome,
  OpenedMaildrop,
  OpenedMessage,
  ToMailThread,
} from "./messages.ts";
import { packMessages } from "./packed_messages.ts";
import { borrowedPermit } from "./shared_permit.ts";

/** Octets that a message is opened with, and that are read at once later. */
const FIRST_OCTETS = 64 * 1024;
const OCTETS = 256 * 1024;

/** What the host is made with. */
export interface MailThreadHostOptions {
  /** To whom mailboxes are served. */
  readonly port: MessagePort;
  /** Makes the store of these settings. */
  readonly storeOf: (settings: RootedSettings) => MailStore;
  readonly yielder: Yielder;
  /** Ends the thread. */
  readonly end: () => void;
}

/** Serves one port. */
export class MailThreadHost implements HeldFolders {
  readonly #options: MailThreadHostOptions;
  #store: MailStore | undefined;
  readonly #maildrops = new Map<number, Maildrop>();
  readonly #messages = new Map<number, StoredMessage>();
  /** Work that can be taken back, by question. */
  readonly #working = new Map<number, AbortController>();
  readonly #asking = new Map<number, (answer: BackAnswer) => void>();
  #last = 0;

  constructor(options: MailThreadHostOptions) {
    this.#options = options;
    options.port.onmessage = ({ data }: MessageEvent<ToMailThread>) => this.#obey(data);
    this.#post({ type: "ready" });
  }

  /** Warns in the log of the other thread. */
  warn(message: string, properties?: Record<string, unknown>): void {
    this.#post({ type: "warn", message, properties });
  }

  /** Says that nothing more comes, and ends the thread. */
  end(): void {
    this.#post({ type: "ended" });
    this.#options.end();
  }

  /** Has work in held folders done by the other thread. */
  async run(octets: Uint8Array<ArrayBuffer>, root?: string): Promise<Uint8Array<ArrayBuffer>> {
    const answer = await this.#ask({ kind: "hold", octets, root });
    if (answer.octets !== undefined) return answer.octets;
    throw answer.why === undefined ? noHelper() : new HelperError(answer.why);
  }

  /** Makes sure of the lock for which a question was asked, where that is wanted. */
  #fence(call: number, isFenced: boolean): RaiseFence | undefined {
    if (!isFenced) return undefined;
    return async () => {
      const { permit, why } = await this.#ask({ kind: "fence", call });
      if (why !== undefined) throw new Error(why);
      return permit && borrowedPermit(permit);
    };
  }

  #ask(question: BackQuestion): Promise<BackAnswer> {
    const request = ++this.#last;
    const { promise, resolve } = Promise.withResolvers<BackAnswer>();
    this.#asking.set(request, resolve);
    this.#post({ type: "back-question", request, question });
    return promise;
  }

  #post(message: FromMailThread, transfer: Transferable[] = []): void {
    this.#options.port.postMessage(message, transfer);
  }

  #obey(message: ToMailThread): void {
    switch (message.type) {
      case "settings":
        this.#store = this.#options.storeOf(message.settings);
        return;
      case "call":
        return void this.#answer(message);
      case "cancel":
        return this.#working.get(message.call)?.abort();
      case "close":
        this.#messages.get(message.opened)?.[Symbol.dispose]();
        this.#messages.delete(message.opened);
        return;
      case "back-answer":
        this.#asking.get(message.request)?.(message.answer);
        this.#asking.delete(message.request);
        return;
      case "ping":
        return this.#post({ type: "pong" });
      case "end":
        return this.end();
    }
  }

  async #answer(question: MailCall): Promise<void> {
    const { call } = question;
    const gone = new AbortController();
    this.#working.set(call, gone);
    try {
      const value = await this.#carryOut(question, gone.signal);
      this.#post({ type: "answer", call, value }, transferable(value));
    } catch (error) {
      this.#post({ type: "failure", call, failure: failureOf(error) });
    } finally {
      this.#working.delete(call);
    }
  }

  #carryOut(
    question: MailCall,
    signal: AbortSignal,
  ): Promise<ReturnType<MailThreadMethods[keyof MailThreadMethods]>> {
    const store = this.#store!;
    const { call } = question;
    switch (question.method) {
      case "acquire": {
        const [user, record, isFenced] = question.args;
        return this.#acquire(
          store.acquire(user, signal, this.#fence(call, isFenced), record),
          signal,
        );
      }
      case "create":
        return store.create(...question.args);
      case "expire": {
        const [user, record, isFenced] = question.args;
        return store.expire(user, this.#fence(call, isFenced), record);
      }
      case "removeAbandoned":
        return store.removeAbandoned(...question.args);
      case "open":
        return this.#open(...question.args, signal);
      case "read":
        return Promise.resolve(this.#read(question.args[0], OCTETS));
      case "remove":
        return this.#remove(...question.args);
      case "release":
        return this.#release(...question.args);
    }
  }

  async #acquire(opening: Promise<Maildrop>, signal: AbortSignal): Promise<OpenedMaildrop> {
    const opened = await opening;
    try {
      const messages = await packMessages(opened.messages, this.#options.yielder.task(signal));
      const maildrop = ++this.#last;
      this.#maildrops.set(maildrop, opened);
      return { maildrop, messages, lastRetrieved: opened.lastRetrieved() };
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #open(maildrop: number, index: number, signal: AbortSignal): Promise<OpenedMessage> {
    const open = this.#maildrop(maildrop);
    const message = await open.open(open.messages[index]!, signal);
    const opened = ++this.#last;
    this.#messages.set(opened, message);
    try {
      const { size, storedSize, verbatim, file } = message;
      const first = this.#read(opened, FIRST_OCTETS);
      return { opened, size, storedSize, verbatim, file, first };
    } catch (error) {
      this.#messages.delete(opened);
      message[Symbol.dispose]();
      throw error;
    }
  }

  #read(opened: number, most: number): Uint8Array<ArrayBuffer> {
    const message = this.#messages.get(opened);
    if (message === undefined) throw new TypeError("The message was closed");
    const octets = new Uint8Array(Math.min(most, message.storedSize));
    const read = octets.length === 0 ? null : message.readSync(octets);
    return octets.subarray(0, read ?? 0);
  }

  async #remove(
    maildrop: number,
    indexes: readonly number[],
    by: string | undefined,
    permit: SharedArrayBuffer | undefined,
  ): Promise<NumberedOutcome> {
    const open = this.#maildrop(maildrop);
    const places = new Map(indexes.map((index) => [open.messages[index]!, index]));
    const { stayed, unsynced, ...rest } = await open.remove(
      [...places.keys()],
      permit && borrowedPermit(permit),
      by,
    );
    return {
      ...rest,
      stayed: stayed.map((message) => places.get(message as never)!),
      unsynced: unsynced.map((message) => places.get(message as never)!),
    };
  }

  async #release(maildrop: number, retrieved: readonly number[]): Promise<void> {
    const open = this.#maildrop(maildrop);
    this.#maildrops.delete(maildrop);
    for (const index of retrieved) open.retrieved(open.messages[index]!);
    await open[Symbol.asyncDispose]();
  }

  #maildrop(maildrop: number): Maildrop {
    const open = this.#maildrops.get(maildrop);
    if (open === undefined) throw new TypeError("There is no such maildrop");
    return open;
  }
}

/** What need not be copied of an answer. */
function transferable(value: unknown): Transferable[] {
  if (value instanceof Uint8Array) return [value.buffer as ArrayBuffer];
  if (typeof value !== "object" || value === null) return [];
  if ("first" in value) return [(value as OpenedMessage).first.buffer];
  if (!("messages" in value)) return [];
  const { ids, ends, sizes } = (value as OpenedMaildrop).messages;
  return [ids.buffer, ends.buffer, sizes.buffer];
}
