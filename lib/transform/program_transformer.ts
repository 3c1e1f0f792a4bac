/** Passes messages through a program on their way to the client. */

import type { StoredMessage } from "../contracts/mail_store.ts";
import {
  MessageMovedError,
  type Programs,
  type ProgramTurn,
  type RunningProgram,
} from "../contracts/programs.ts";
import {
  type MessageBody,
  type MessageOutput,
  type TransformContext,
  type Transformer,
  TransformerError,
} from "../contracts/transformer.ts";
import { CHUNK } from "./output_ring.ts";

/** How often a message is looked for again that other programs rename. */
const MOST_LOOKS = 3;

/** Which programs, and what a failure means. */
export interface ProgramTransformerOptions {
  readonly programs: Programs;
  /** Whether a program that fails before its first output fails the command, or the stored message is sent instead. */
  readonly onFailure: "reject" | "bypass";
}

/**
 * Runs a program for each message: the message on its standard input, what goes to the client from its standard output. Little is
 * buffered: the program is not read on while the client does not read.
 *
 * Each run that was started, or could not be, is told as ended when its processes are gone; waiting for a turn tells nothing.
 */
export class ProgramTransformer implements Transformer {
  readonly resizes = true;
  readonly #programs: Programs;
  readonly #onFailure: "reject" | "bypass";
  readonly #runs = new Set<Promise<void>>();

  constructor(options: ProgramTransformerOptions) {
    this.#programs = options.programs;
    this.#onFailure = options.onFailure;
  }

  async apply(
    open: () => Promise<StoredMessage>,
    context: TransformContext,
  ): Promise<MessageBody> {
    try {
      return { kind: "output", output: await this.#output(open, context) };
    } catch (error) {
      if (this.#onFailure === "reject" || !isProgramsFault(error)) throw error;
      return { kind: "stored", message: await open() };
    }
  }

  async settled(): Promise<void> {
    while (this.#runs.size > 0) await Promise.all(this.#runs);
  }

  /** What the program makes of the message; resolves when the first octets, or an end without any, are there. */
  async #output(
    open: () => Promise<StoredMessage>,
    context: TransformContext,
  ): Promise<MessageOutput> {
    for (let look = 1;; look++) {
      const run = await this.#start(open, context);
      try {
        return new ProgramOutput(run, await run.read(new Uint8Array(CHUNK)));
      } catch (error) {
        if (!(error instanceof MessageMovedError)) throw error;
        if (look === MOST_LOOKS) throw inputError(error);
      }
    }
  }

  async #start(
    open: () => Promise<StoredMessage>,
    context: TransformContext,
  ): Promise<RunningProgram> {
    const { signal } = context;
    using turn = await this.#turn(context);
    using untilStarted = new DisposableStack();
    const message = untilStarted.use(await open());
    if (signal.aborted) throw cancelled(signal.reason);
    const run = turn.start(message, context);
    untilStarted.move();
    this.#follow(run, message, signal);
    return run;
  }

  async #turn(context: TransformContext): Promise<ProgramTurn> {
    try {
      return await this.#programs.enter(context);
    } catch (error) {
      if (context.signal.aborted) throw cancelled(error);
      throw error;
    }
  }

  /** Ends the run with its session, and closes the message when it has ended. */
  #follow(run: RunningProgram, message: StoredMessage, signal: AbortSignal): void {
    const abort = (): void => run.end(cancelled(signal.reason));
    signal.addEventListener("abort", abort, { once: true });
    const followed = run.ended.then(() => {
      signal.removeEventListener("abort", abort);
      message[Symbol.dispose]();
      this.#runs.delete(followed);
    });
    this.#runs.add(followed);
  }
}

function inputError(error: MessageMovedError): TransformerError {
  const sentence = `The message could not be given to the transformer: ${error.message}`;
  return new TransformerError("input", sentence, { cause: error });
}

/** Whether another try without the program would help. */
function isProgramsFault(error: unknown): boolean {
  return error instanceof TransformerError && error.reason !== "cancelled" &&
    error.reason !== "input";
}

function cancelled(reason: unknown): TransformerError {
  return new TransformerError("cancelled", "The session ended while its transformer ran", {
    cause: reason,
  });
}

/** A run's output: what was waited for first, then what comes. */
class ProgramOutput implements MessageOutput {
  readonly #run: RunningProgram;
  #first: Uint8Array<ArrayBuffer> | undefined;

  constructor(run: RunningProgram, first: Uint8Array<ArrayBuffer>) {
    this.#run = run;
    this.#first = first;
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const first = this.#first;
    this.#first = undefined;
    return first ?? await this.#run.read(into);
  }

  cancel(reason?: unknown): void {
    this.#run.end(reason === undefined ? undefined : cancelled(reason));
  }
}
