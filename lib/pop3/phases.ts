/** The phases of a session (RFC 1939, sections 4 to 6); each owns its data, so that a maildrop can be reached in one of them only. */

import type { CloseReason } from "../contracts/event.ts";
import type { Lease } from "../contracts/login_service.ts";
import type { Maildrop, MayRemove, MessageInfo } from "../contracts/mail_store.ts";
import { raiseFence } from "../locks/fence.ts";
import type { OpenLogin, Pop3Context } from "./context.ts";

/** Before login (RFC 1939, section 4). */
export class Authorization {
  readonly name = "authorization";
  readonly context: Pop3Context;
  /** The name that USER gave, until PASS has used it up. */
  user: string | undefined;
  /** Failed logins of this session. */
  failures: number;
  /** A lock that was granted while the exchange that asked for it has one more line to say (SCRAM). */
  granted: Lease | undefined;

  /** @param failures failed logins that this session had already, in clear before STLS */
  constructor(context: Pop3Context, failures = 0) {
    this.context = context;
    this.failures = failures;
  }

  /** Gives back a lock whose exchange did not come to its end. */
  async close(ending: CloseReason): Promise<void> {
    const lease = this.granted;
    this.granted = undefined;
    await lease?.release(ending);
  }
}

/** A message that can still be reached: its number and what is known of it. */
export interface NumberedMessage {
  readonly number: number;
  readonly info: MessageInfo;
}

/** After login (RFC 1939, section 5). */
export class Transaction {
  readonly name = "transaction";
  readonly context: Pop3Context;
  readonly user: string;
  readonly maildrop: Maildrop;
  /** Whether nothing may be deleted: the login was by an app password that is read-only. */
  readonly readOnly: boolean;
  /** What DELE does. */
  readonly deletes: OpenLogin["deletes"];
  /** Numbers of the messages that QUIT will remove. */
  readonly marked = new Set<number>();
  /** The highest number that was accessed since the session began, or since RSET. */
  #accessed = 0;
  readonly #lease: Lease;
  readonly #octets: number;
  #markedOctets = 0;
  /** Messages that were sent whole, and of which the client has not shown yet that it has them. */
  #unconfirmed: MessageInfo[] = [];
  #open = true;

  constructor(
    context: Pop3Context,
    { user, maildrop, lease, readOnly, deletes }: Pick<
      OpenLogin,
      "user" | "maildrop" | "lease" | "readOnly" | "deletes"
    >,
  ) {
    this.context = context;
    this.readOnly = readOnly;
    this.deletes = deletes;
    this.user = user;
    this.maildrop = maildrop;
    this.#lease = lease;
    this.#octets = maildrop.messages.reduce((sum, message) => sum + message.size, 0);
  }

  /** How many messages are not marked. */
  get count(): number {
    return this.maildrop.messages.length - this.marked.size;
  }

  /** Octets of the messages that are not marked. */
  get octets(): number {
    return this.#octets - this.#markedOctets;
  }

  /** `<n> messages (<m> octets)`, as several first lines tell it. */
  get summary(): string {
    return `${this.count} messages (${this.octets} octets)`;
  }

  /**
   * Finds a message by its number.
   *
   * @returns what is known of it, or a sentence that says why it cannot be reached: beyond the range first, then deleted
   */
  find(number: number): NumberedMessage | string {
    const info = this.maildrop.messages[number - 1];
    if (info === undefined) {
      return `No such message, the maildrop holds ${this.maildrop.messages.length}`;
    }
    if (this.marked.has(number)) return `Message ${number} is deleted`;
    return { number, info };
  }

  /** The messages that are not marked, in order. */
  *remaining(): Generator<NumberedMessage> {
    let number = 0;
    for (const info of this.maildrop.messages) {
      number++;
      if (!this.marked.has(number)) yield { number, info };
    }
  }

  /** Marks a message for QUIT (RFC 1939, section 5, DELE). */
  mark(message: NumberedMessage): void {
    this.marked.add(message.number);
    this.#markedOctets += message.info.size;
  }

  /** Notes that a message was accessed, for LAST. */
  accessed(number: number): void {
    this.#accessed = Math.max(this.#accessed, number);
  }

  /** Notes that a message was sent whole. Whether it arrived is another matter: {@linkcode confirmSent} tells. */
  sent(message: NumberedMessage): void {
    this.accessed(message.number);
    this.#unconfirmed.push(message.info);
  }

  /** The highest number that was accessed, in this session or an earlier one (RFC 1225, LAST). */
  get last(): number {
    return Math.max(this.#accessed, this.maildrop.lastRetrieved());
  }

  /** Counts what was sent as retrieved: the client has spoken since, or says QUIT. */
  confirmSent(): void {
    for (const message of this.#unconfirmed) this.maildrop.retrieved(message);
    this.#unconfirmed = [];
  }

  /** Unmarks all (RFC 1939, section 5, RSET), and lets LAST tell what it told when the session began (RFC 1225). */
  reset(): void {
    this.#accessed = 0;
    this.marked.clear();
    this.#markedOctets = 0;
  }

  /** Makes sure of the lock; undefined when it is lost. @throws {Error} when that cannot be found out */
  raiseFence(): Promise<MayRemove | undefined> {
    return raiseFence(this.#lease, this.context.services.clock);
  }

  /** Lets go of maildrop and lock. Does nothing the second time. */
  async close(ending: CloseReason): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    try {
      await this.maildrop[Symbol.asyncDispose]();
    } finally {
      await this.#lease.release(ending);
    }
  }
}
