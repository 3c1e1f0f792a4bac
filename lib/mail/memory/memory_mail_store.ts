/** Maildrops in memory: the mail store's twin for tests and for trying things out. */

import { systemClock } from "../../async/clock.ts";
import { countOn, type RunningTime } from "../../async/running_time.ts";
import { WireMeter, type WireSize } from "../../bytes/wire_meter.ts";
import { refuseUserName } from "../../bytes/user_name.ts";
import {
  type Maildrop,
  type MailStore,
  type MayRemove,
  MessageGoneError,
  type MessageInfo,
  type RaiseFence,
  type RemovalOutcome,
  type StoredMessage,
} from "../../contracts/mail_store.ts";

const MILLISECONDS_A_DAY = 24 * 60 * 60 * 1000;

/** Settings of a {@linkcode MemoryMailStore}. */
export interface MemoryMailStoreOptions {
  /** Messages of a mailbox that are served; 0 for all. @default {0} */
  readonly maxMessages?: number;
  /** Days after its first retrieval when a message is removed; 0 for never. @default {0} */
  readonly expireDays?: number;
  /** What days since a retrieval are counted by. @default {since the store was made} */
  readonly running?: RunningTime;
}

/** A message as the memory keeps it. */
interface KeptMessage extends MessageInfo {
  readonly octets: Uint8Array<ArrayBuffer>;
  readonly verbatim: boolean;
  firstRetrieved: number | undefined;
}

/** A {@linkcode MailStore} in memory. */
export class MemoryMailStore implements MailStore {
  readonly #maxMessages: number;
  readonly #expireDays: number;
  readonly #running: RunningTime;
  readonly #mailboxes = new Map<string, Set<KeptMessage>>();
  #delivered = 0;

  constructor(options: MemoryMailStoreOptions = {}) {
    this.#maxMessages = options.maxMessages ?? 0;
    this.#expireDays = options.expireDays ?? 0;
    this.#running = options.running ?? countOn({ id: "0".repeat(16), at: 1 }, systemClock);
  }

  /**
   * Delivers a message, making the mailbox where there is none.
   *
   * @param uid must be the mailbox's only one of its name
   * @returns the message as sessions will see it
   */
  deliver(
    user: string,
    octets: Uint8Array,
    uid: string = `memory.${++this.#delivered}`,
  ): MessageInfo {
    const { size, verbatim } = measure(octets);
    const kept = { uid, size, verbatim, octets: octets.slice(), firstRetrieved: undefined };
    this.#make(user).add(kept);
    return kept;
  }

  /** Takes a message away, as another program would. */
  withdraw(user: string, uid: string): void {
    const mailbox = this.#mailboxes.get(user);
    for (const message of mailbox ?? []) if (message.uid === uid) mailbox!.delete(message);
  }

  /** Unique-ids of the messages that were retrieved whole. */
  seen(user: string): readonly string[] {
    return [...this.#mailboxes.get(user) ?? []]
      .filter((message) => message.firstRetrieved !== undefined)
      .map((message) => message.uid);
  }

  async acquire(user: string, signal?: AbortSignal, fence?: RaiseFence): Promise<Maildrop> {
    signal?.throwIfAborted();
    await this.create(user);
    const mailbox = this.#make(user);
    await this.expire(user, fence);
    const messages = [...mailbox].slice(0, this.#maxMessages || undefined);
    return new MemoryMaildrop(mailbox, messages, this.#running);
  }

  create(user: string): Promise<void> {
    const refusal = refuseUserName(user);
    if (refusal !== undefined) {
      return Promise.reject(new RangeError(`No mailbox can have this name: ${refusal}.`));
    }
    this.#make(user);
    return Promise.resolve();
  }

  async expire(
    user: string,
    fence: RaiseFence = () => Promise.resolve(() => true),
  ): Promise<number> {
    const mailbox = this.#mailboxes.get(user) ?? new Set();
    if (this.#expireDays === 0) return 0;
    const before = this.#running.now() - this.#expireDays * MILLISECONDS_A_DAY;
    const due = [...mailbox].filter(({ firstRetrieved }) =>
      firstRetrieved !== undefined && firstRetrieved <= before
    );
    const mayRemove = due.length === 0 ? undefined : await fence().catch(() => undefined);
    const gone = due.filter((message) => mayRemove?.() && mailbox.delete(message));
    return gone.length;
  }

  removeAbandoned(): Promise<number> {
    return Promise.resolve(0);
  }

  #make(user: string): Set<KeptMessage> {
    const mailbox = this.#mailboxes.get(user) ?? new Set();
    this.#mailboxes.set(user, mailbox);
    return mailbox;
  }
}

class MemoryMaildrop implements Maildrop {
  readonly messages: readonly MessageInfo[];
  readonly #mailbox: Set<KeptMessage>;
  readonly #running: RunningTime;
  readonly #retrieved = new Set<KeptMessage>();

  constructor(mailbox: Set<KeptMessage>, messages: readonly KeptMessage[], running: RunningTime) {
    this.#mailbox = mailbox;
    this.messages = messages;
    this.#running = running;
  }

  open(message: MessageInfo): Promise<StoredMessage> {
    const kept = message as KeptMessage;
    if (this.#mailbox.has(kept)) return Promise.resolve(new MemoryMessage(kept));
    return Promise.reject(new MessageGoneError(`The message ${message.uid} is gone.`));
  }

  lastRetrieved(): number {
    return 1 +
      this.messages.findLastIndex((message) =>
        (message as KeptMessage).firstRetrieved !== undefined
      );
  }

  retrieved(message: MessageInfo): void {
    this.#retrieved.add(message as KeptMessage);
  }

  remove(
    messages: readonly MessageInfo[],
    mayRemove: MayRemove = () => true,
  ): Promise<RemovalOutcome> {
    const stayed = messages.filter((message) =>
      !mayRemove() || (this.#mailbox.delete(message as KeptMessage), false)
    );
    if (stayed.length === 0) return Promise.resolve({ stayed, unsynced: [], reasons: [] });
    const reasons = ["the lock was lost"];
    return Promise.resolve({ stayed, unsynced: [], reasons, isLockLost: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const message of this.#retrieved) message.firstRetrieved ??= this.#running.now();
    this.#retrieved.clear();
    return Promise.resolve();
  }
}

class MemoryMessage implements StoredMessage {
  readonly size: number;
  readonly storedSize: number;
  readonly verbatim: boolean;
  readonly file = undefined;
  readonly #octets: Uint8Array<ArrayBuffer>;
  #read = 0;

  constructor(kept: KeptMessage) {
    this.size = kept.size;
    this.verbatim = kept.verbatim;
    this.#octets = kept.octets;
    this.storedSize = kept.octets.length;
  }

  readSync(into: Uint8Array): number | null {
    const part = this.#octets.subarray(this.#read, this.#read + into.length);
    if (part.length === 0) return null;
    into.set(part);
    this.#read += part.length;
    return part.length;
  }

  [Symbol.dispose](): void {
    this.#read = this.#octets.length;
  }
}

function measure(octets: Uint8Array): WireSize {
  const meter = new WireMeter();
  for (let at = 0; at < octets.length; at += meter.input.length) {
    const part = octets.subarray(at, at + meter.input.length);
    meter.input.set(part);
    meter.add(part.length);
  }
  return meter.finish();
}
