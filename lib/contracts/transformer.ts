/** What stands between a stored message and the client: nothing, or a program. */

import type { StoredMessage } from "./mail_store.ts";

/** Whom and what a message is transformed for; the program's `POSTERN_…` variables. */
export interface TransformContext {
  readonly user: string;
  readonly uid: string;
  /** The client's IP address. */
  readonly client: string;
  /** Which session asked, for events. */
  readonly session: string;
  /** Aborted when the session ends: the program is ended then. */
  readonly signal: AbortSignal;
}

/** What a program makes of a message, read as it is written: nothing is read ahead. */
export interface MessageOutput {
  /**
   * Waits for the next octets. Who gives the buffer of the octets that came back again leaves no garbage, whatever the message's size.
   *
   * @param into where they may be put; its buffer is taken over
   * @returns the octets; none at the end
   * @throws {TransformerError} when the program fails; what was sent by then is no whole message
   */
  read(into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** Ends the program. Without a reason that is no failure, with one the run counts as `cancelled`. */
  cancel(reason?: unknown): void;
}

/** A message as it goes to the client, before line ends and dot-stuffing. Who takes it disposes the message or cancels the output. */
export type MessageBody =
  | { readonly kind: "stored"; readonly message: StoredMessage }
  | { readonly kind: "output"; readonly output: MessageOutput };

/** Changes messages on their way out. */
export interface Transformer {
  /** Whether a message may go to the client larger or smaller than it is stored. */
  readonly resizes: boolean;
  /**
   * Starts on a message and resolves once its first octets are there (or it has ended well without any, of an empty message).
   * The run counts as `cancelled` when `context.signal` is aborted.
   *
   * @param open opens the message; called when the transformer's turn has come, so that no descriptor is held while it waits,
   *   and once more when the program failed and the stored message is to be sent instead. What it opened is the transformer's to
   *   dispose, except what it hands on in a body of kind `stored`.
   * @throws {TransformerError} when the program failed before its first octet
   * @throws whatever `open` throws
   */
  apply(open: () => Promise<StoredMessage>, context: TransformContext): Promise<MessageBody>;
  /** Resolves when no program of it is left and every run was told as ended: what a thread waits for before it ends. */
  settled(): Promise<void>;
}

/** Why a transformer failed, as counters and logs name it. */
export type TransformerFailure =
  | "not-found"
  | "exit-status"
  | "no-output"
  | "timeout"
  | "cancelled"
  | "input"
  | "internal";

/** A transformer's run that failed. */
export class TransformerError extends Error {
  override name = "TransformerError";
  readonly reason: TransformerFailure;

  constructor(reason: TransformerFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
