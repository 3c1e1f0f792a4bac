/** What a thread that serves slow mailboxes and the thread that it serves them for say to each other. */

import type { MessageFile, RemovalOutcome } from "../../contracts/mail_store.ts";
import type { UserRecord } from "../../contracts/user_record.ts";
import type { RootedSettings } from "../store_settings.ts";
import type { PackedMessages } from "./packed_messages.ts";

/** What is asked for, with what comes back. Messages are named by their place in the maildrop, from 0. */
export interface MailThreadMethods {
  /** @param isFenced whether to ask before what has expired is removed */
  acquire(user: string, record: UserRecord | undefined, isFenced: boolean): OpenedMaildrop;
  create(user: string, record: UserRecord | undefined): void;
  expire(user: string, record: UserRecord | undefined, isFenced: boolean): number;
  removeAbandoned(user: string, record: UserRecord | undefined): number;
  open(maildrop: number, message: number): OpenedMessage;
  /** The next octets, none at the end. */
  read(file: number): Uint8Array<ArrayBuffer>;
  /** @param permit of lib/mail/mail_thread/shared_permit.ts */
  remove(
    maildrop: number,
    messages: readonly number[],
    by: string | undefined,
    permit: SharedArrayBuffer | undefined,
  ): NumberedOutcome;
  /** Lets go of a maildrop, and carries out what its client retrieved. */
  release(maildrop: number, retrieved: readonly number[]): void;
}

/** A maildrop that was opened. */
export interface OpenedMaildrop {
  readonly maildrop: number;
  readonly messages: PackedMessages;
  readonly lastRetrieved: number;
}

/** A message that was opened, with its first octets: a file that cannot be read is found out before anything is answered. */
export interface OpenedMessage {
  readonly opened: number;
  readonly size: number;
  readonly storedSize: number;
  readonly verbatim: boolean;
  readonly file: MessageFile | undefined;
  readonly first: Uint8Array<ArrayBuffer>;
}

/** A {@linkcode RemovalOutcome} that names messages by their places. */
export interface NumberedOutcome extends Omit<RemovalOutcome, "stayed" | "unsynced"> {
  readonly stayed: readonly number[];
  readonly unsynced: readonly number[];
}

/** An error on its way between threads, where it would lose its class. */
export interface MailFailure {
  readonly kind: "unreadable" | "unavailable" | "gone" | "changed" | "range" | "other";
  readonly message: string;
  /** Whether it comes of a missing helper for held folders. */
  readonly isHelpless: boolean;
}

/** A question, by its number, which no other of the thread has. */
export type MailCall = {
  [M in keyof MailThreadMethods]: {
    readonly type: "call";
    readonly call: number;
    readonly method: M;
    readonly args: Parameters<MailThreadMethods[M]>;
  };
}[keyof MailThreadMethods];

/** What a thread cannot do by itself. */
export type BackQuestion =
  /** Work in held folders. */
  | {
    readonly kind: "hold";
    readonly octets: Uint8Array<ArrayBuffer>;
    readonly root: string | undefined;
  }
  /** Make sure of the lock for which a question is asked; the answer is a permit, or undefined where the lock is lost. */
  | { readonly kind: "fence"; readonly call: number };

/** How work in held folders ended: without octets it failed, without a reason, too, there is no program for it. A fence: the permit. */
export interface BackAnswer {
  readonly octets?: Uint8Array<ArrayBuffer>;
  readonly why?: string;
  readonly permit?: SharedArrayBuffer;
}

/** To the thread. */
export type ToMailThread =
  /** In force for what is asked from now on. */
  | { readonly type: "settings"; readonly settings: RootedSettings }
  | MailCall
  /** Nobody waits for the answer any more. */
  | { readonly type: "cancel"; readonly call: number }
  | { readonly type: "close"; readonly opened: number }
  | { readonly type: "back-answer"; readonly request: number; readonly answer: BackAnswer }
  | { readonly type: "ping" }
  /** End: whatever is not done by now is not wanted any more. */
  | { readonly type: "end" };

/** From the thread. */
export type FromMailThread =
  | { readonly type: "ready" }
  | { readonly type: "answer"; readonly call: number; readonly value: unknown }
  | { readonly type: "failure"; readonly call: number; readonly failure: MailFailure }
  | {
    readonly type: "back-question";
    readonly request: number;
    readonly question: BackQuestion;
  }
  | {
    readonly type: "warn";
    readonly message: string;
    readonly properties: Record<string, unknown> | undefined;
  }
  | { readonly type: "pong" }
  /** Nothing more comes. */
  | { readonly type: "ended" };
