/** Who runs transformers' programs: a seam, since the threads that serve clients may run none. */

import type { StoredMessage } from "./mail_store.ts";
import type { TransformContext, TransformerError } from "./transformer.ts";

/** A program at work on a message. */
export interface RunningProgram {
  /**
   * Waits for the next output.
   *
   * @param into where to put it; its buffer is taken over
   * @returns the octets, in the same memory; none when the program has ended well
   * @throws {MessageMovedError} when the message's file has another name by now, and no program was started
   * @throws {TransformerError} when it failed, or could not be started
   */
  read(into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** Ends the program at once, as failed where `failure` is given. The first call counts. */
  end(failure?: TransformerError): void;
  /** Settles when nobody of the program is left and its end was told of; never rejects. */
  readonly ended: Promise<void>;
}

/** One of `max_transformers` turns. Disposing gives it back where no program was started; the program's end gives it back otherwise. */
export interface ProgramTurn extends Disposable {
  /**
   * Starts the program on a message.
   *
   * @param message must stay open until the program has ended
   */
  start(message: StoredMessage, context: TransformContext): RunningProgram;
}

/** Runs programs. */
export interface Programs {
  /**
   * Waits for a turn. The one who waits longest is next.
   *
   * @throws the signal's reason when the context's signal is aborted first
   */
  enter(context: TransformContext): Promise<ProgramTurn>;
}

/** A message whose file has another name by now, or is gone. */
export class MessageMovedError extends Error {
  override name = "MessageMovedError";
}
