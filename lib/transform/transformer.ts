/** What stands between a stored message and the client: nothing, or a program. */

import type { StoredMessage } from "../mail/mail_store.ts";

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

/** A message as it goes to the client, before line ends and dot-stuffing. Disposing ends whatever makes it. */
export type MessageBody =
  | { readonly kind: "stored"; readonly message: StoredMessage }
  | {
    readonly kind: "stream";
    /** Errors when the program fails; what was sent by then is no whole message. */
    readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  };

/** Changes messages on their way out. */
export interface Transformer {
  /**
   * Starts on a message and resolves once its first octets are there (or it has ended well without any, of an empty message).
   * Takes ownership of `message` and disposes it, also when it throws. Cancelling the stream ends the program.
   *
   * @throws {TransformerError} when the program failed before its first octet
   */
  apply(message: StoredMessage, context: TransformContext): Promise<MessageBody>;
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
