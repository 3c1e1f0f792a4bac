/** Slow mailboxes, served by another thread. */

import type { Yielder } from "../../async/yielder.ts";
import {
  type Maildrop,
  type MailStore,
  type MayRemove,
  type MessageFile,
  type MessageInfo,
  type RaiseFence,
  type RemovalOutcome,
  type StoredMessage,
} from "../../contracts/mail_store.ts";
import type { UserRecord } from "../../contracts/user_record.ts";
import type { RootedSettings } from "../store_settings.ts";
import type { MailThread } from "./mail_thread.ts";
import type { NumberedOutcome, OpenedMaildrop, OpenedMessage } from "./messages.ts";
import { NumberedMessage, unpackMessages } from "./packed_messages.ts";

/** What a {@linkcode ThreadedMailStore} is made of. */
export interface ThreadedMailStoreOptions {
  readonly thread: MailThread;
  /** The path of the one mailbox that is served. */
  readonly mailbox: string;
  readonly settings: RootedSettings;
  readonly yielder: Yielder;
}

/** A {@linkcode MailStore} of one mailbox. */
export class ThreadedMailStore implements MailStore {
  readonly #options: ThreadedMailStoreOptions;

  constructor(options: ThreadedMailStoreOptions) {
    this.#options = options;
  }

  async acquire(
    user: string,
    signal?: AbortSignal,
    fence?: RaiseFence,
    record?: UserRecord,
  ): Promise<Maildrop> {
    const { mailbox, settings, thread, yielder } = this.#options;
    thread.use(settings);
    const release = (maildrop: number): void =>
      void thread.ask(mailbox, "release", [maildrop, []]).catch(() => {}); // It holds nothing that is not lost anyway.
    const opened = await thread.ask(mailbox, "acquire", [user, record, fence !== undefined], {
      signal,
      fence,
      late: ({ maildrop }) => release(maildrop),
    });
    try {
      const messages = await unpackMessages(opened.messages, yielder.task(signal));
      return new ThreadedMaildrop(thread, mailbox, opened, messages);
    } catch (error) {
      release(opened.maildrop);
      throw error;
    }
  }

  async create(user: string, record?: UserRecord): Promise<void> {
    const { mailbox, settings, thread } = this.#options;
    thread.use(settings);
    await thread.ask(mailbox, "create", [user, record]);
  }

  async expire(user: string, fence?: RaiseFence, record?: UserRecord): Promise<number> {
    const { mailbox, settings, thread } = this.#options;
    thread.use(settings);
    return await thread.ask(mailbox, "expire", [user, record, fence !== undefined], { fence });
  }

  async removeAbandoned(user: string, record?: UserRecord): Promise<number> {
    const { mailbox, settings, thread } = this.#options;
    thread.use(settings);
    return await thread.ask(mailbox, "removeAbandoned", [user, record]);
  }
}

/** A maildrop that is open in another thread. */
class ThreadedMaildrop implements Maildrop {
  readonly messages: readonly NumberedMessage[];
  readonly #thread: MailThread;
  readonly #mailbox: string;
  readonly #maildrop: number;
  readonly #lastRetrieved: number;
  readonly #retrieved = new Set<number>();
  #isDisposed = false;

  constructor(
    thread: MailThread,
    mailbox: string,
    { maildrop, lastRetrieved }: OpenedMaildrop,
    messages: readonly NumberedMessage[],
  ) {
    this.#thread = thread;
    this.#mailbox = mailbox;
    this.#maildrop = maildrop;
    this.#lastRetrieved = lastRetrieved;
    this.messages = messages;
    thread.maildrops++;
  }

  async open(message: MessageInfo, signal?: AbortSignal): Promise<StoredMessage> {
    const args = [this.#maildrop, this.#indexOf(message)] as const;
    const opened = await this.#thread.ask(this.#mailbox, "open", [...args], {
      signal,
      late: ({ opened }) => this.#thread.close(opened),
    });
    return new ThreadedMessage(this.#thread, this.#mailbox, opened, signal);
  }

  lastRetrieved(): number {
    return this.#lastRetrieved;
  }

  retrieved(message: MessageInfo): void {
    this.#retrieved.add(this.#indexOf(message));
  }

  async remove(
    messages: readonly MessageInfo[],
    mayRemove?: MayRemove,
    by?: string,
  ): Promise<RemovalOutcome> {
    const indexes = messages.map((message) => this.#indexOf(message));
    const args = [this.#maildrop, indexes, by] as const;
    const outcome = await this.#thread.ask(this.#mailbox, "remove", [...args], { mayRemove });
    return { ...outcome, ...this.#named(outcome) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    try {
      const retrieved = [...this.#retrieved];
      await this.#thread.ask(this.#mailbox, "release", [this.#maildrop, retrieved]);
    } finally {
      this.#thread.maildrops--;
    }
  }

  #named({ stayed, unsynced }: NumberedOutcome): Pick<RemovalOutcome, "stayed" | "unsynced"> {
    const named = (indexes: readonly number[]): MessageInfo[] =>
      indexes.map((index) => this.messages[index]!);
    return { stayed: named(stayed), unsynced: named(unsynced) };
  }

  /** A message of another maildrop is the caller's fault. */
  #indexOf(message: MessageInfo): number {
    if (message instanceof NumberedMessage && this.messages[message.index] === message) {
      return message.index;
    }
    throw new TypeError(
      `No message of this maildrop was given, but one with the id ${message.uid}.`,
    );
  }
}

/** A message that another thread reads, one piece ahead of its client. */
class ThreadedMessage implements StoredMessage {
  readonly size: number;
  readonly storedSize: number;
  readonly verbatim: boolean;
  readonly file: MessageFile | undefined;
  readonly #thread: MailThread;
  readonly #mailbox: string;
  readonly #opened: number;
  readonly #signal: AbortSignal | undefined;
  #piece: Uint8Array<ArrayBuffer>;
  #at = 0;
  /** Octets that were not asked for yet. */
  #left: number;
  #next: Promise<Uint8Array<ArrayBuffer>> | undefined;

  constructor(
    thread: MailThread,
    mailbox: string,
    { opened, size, storedSize, verbatim, file, first }: OpenedMessage,
    signal: AbortSignal | undefined,
  ) {
    this.#thread = thread;
    this.#mailbox = mailbox;
    this.#opened = opened;
    this.#signal = signal;
    this.size = size;
    this.storedSize = storedSize;
    this.verbatim = verbatim;
    this.file = file;
    this.#piece = first;
    this.#left = storedSize - first.length;
  }

  async ready(): Promise<void> {
    if (this.#at < this.#piece.length || (this.#left <= 0 && this.#next === undefined)) return;
    this.#piece = await (this.#next ?? this.#read());
    this.#at = 0;
    this.#left -= this.#piece.length;
    this.#next = this.#piece.length > 0 && this.#left > 0 ? this.#read() : undefined;
    this.#next?.catch(() => {}); // Who comes for it is told.
  }

  readSync(into: Uint8Array): number | null {
    const part = this.#piece.subarray(this.#at, this.#at + into.length);
    if (part.length === 0) return null;
    into.set(part);
    this.#at += part.length;
    return part.length;
  }

  [Symbol.dispose](): void {
    this.#thread.close(this.#opened);
  }

  #read(): Promise<Uint8Array<ArrayBuffer>> {
    const signal = this.#signal;
    return this.#thread.ask(this.#mailbox, "read", [this.#opened], { signal });
  }
}
