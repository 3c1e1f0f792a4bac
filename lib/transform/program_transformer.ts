/** Passes messages through a program on their way to the client. */

import type { StoredMessage } from "../mail/mail_store.ts";
import type { Observer } from "../observe/event.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { ProcessGroups } from "./process_groups.ts";
import { ProgramRun } from "./program_run.ts";
import type { MessageBody, TransformContext, Transformer } from "./transformer.ts";
import { TransformerError } from "./transformer.ts";
import type { Turns } from "./turnstile.ts";

/** Octets a read: what a pipe holds on Linux. */
const CHUNK = 64 * 1024;

/** Which program, and how it is held. */
export interface ProgramTransformerOptions {
  /** The absolute path of the program (see `findProgram`), and its arguments (see `splitWords`). */
  readonly command: readonly [string, ...string[]];
  /** The program's PATH. */
  readonly path: string;
  readonly turns: Turns;
  readonly groups: ProcessGroups;
  readonly observe: Observer;
  /** Milliseconds that the program may be silent while the client would take more, asked at each run; 0 for ever. */
  readonly timeout: () => number;
  /** Whether a program that fails before its first output fails the command, or the stored message is sent instead. */
  readonly onFailure: "reject" | "bypass";
  /**
   * Milliseconds that what the program left behind may be silent when the program itself has ended well.
   *
   * @default 500
   */
  readonly grace?: number;
  /** @default systemClock */
  readonly clock?: Clock;
}

/**
 * Runs a program for each message: the message on its standard input, what goes to the client from its standard output.
 *
 * Nothing is buffered but one chunk at each joint: the program is not read while the client does not read, and not written to while
 * it does not read.
 *
 * Each run that was started, or could not be, is told as ended when its processes are gone; waiting for a turn tells nothing.
 */
export class ProgramTransformer implements Transformer {
  readonly resizes = true;
  readonly #options: ProgramTransformerOptions;
  readonly #clock: Clock;
  readonly #runs = new Set<Promise<void>>();

  constructor(options: ProgramTransformerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async apply(
    open: () => Promise<StoredMessage>,
    context: TransformContext,
  ): Promise<MessageBody> {
    try {
      return { kind: "stream", readable: await this.#output(open, context) };
    } catch (error) {
      if (this.#options.onFailure === "reject" || !isProgramsFault(error)) throw error;
      return { kind: "stored", message: await open() };
    }
  }

  /** Resolves when no program of this transformer is left: what a server waits for before it ends. */
  async settled(): Promise<void> {
    while (this.#runs.size > 0) await Promise.all(this.#runs);
  }

  /** What the program makes of the message; resolves when the first octets, or an end without any, are there. */
  async #output(
    open: () => Promise<StoredMessage>,
    context: TransformContext,
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const turn = await this.#turn(context.signal);
    let run: ProgramRun;
    try {
      run = this.#start(await open(), context);
    } catch (error) {
      turn[Symbol.dispose]();
      throw error;
    }
    this.#follow(run, turn, context);
    return bodyOf(run, await run.read(new Uint8Array(CHUNK)));
  }

  async #turn(signal: AbortSignal): Promise<Disposable> {
    try {
      return await this.#options.turns.enter(signal);
    } catch (error) {
      if (signal.aborted) throw cancelled(error);
      throw error;
    }
  }

  #start(message: StoredMessage, context: TransformContext): ProgramRun {
    const { command, groups, observe, path } = this.#options;
    if (context.signal.aborted) {
      message[Symbol.dispose]();
      throw cancelled(context.signal.reason);
    }
    try {
      const run = new ProgramRun({
        command,
        env: {
          PATH: path,
          POSTERN_USER: context.user,
          POSTERN_UIDL: context.uid,
          POSTERN_CLIENT: context.client,
        },
        message,
        timeout: this.#options.timeout(),
        grace: this.#options.grace ?? 500,
        groups,
        clock: this.#clock,
      });
      observe({ type: "transformer-started", session: context.session, pid: run.pid });
      return run;
    } catch (error) {
      const failure = error instanceof TransformerError ? error.reason : "internal";
      const session = context.session;
      observe({ type: "transformer-ended", session, pid: undefined, milliseconds: 0, failure });
      throw error;
    }
  }

  /** Ends the run with its session, and sees to what is to happen when it has ended. */
  #follow(run: ProgramRun, turn: Disposable, context: TransformContext): void {
    const { session, signal } = context;
    const abort = (): void => run.end(cancelled(signal.reason));
    signal.addEventListener("abort", abort, { once: true });
    const followed = run.ended.then(({ failure, complaint, milliseconds }) => {
      signal.removeEventListener("abort", abort);
      turn[Symbol.dispose]();
      this.#runs.delete(followed);
      const ended = {
        type: "transformer-ended",
        session,
        pid: run.pid,
        milliseconds,
        failure: failure?.reason,
      } as const;
      const tell = failure !== undefined && complaint !== "";
      this.#options.observe(tell ? { ...ended, complaint } : ended);
    });
    this.#runs.add(followed);
  }
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

/** A run's output as a stream that reads only when it is read. */
function bodyOf(
  run: ProgramRun,
  first: Uint8Array<ArrayBuffer>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  /** What has been read of the run and not yet of the stream. */
  let left = first;
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: CHUNK,
    start(controller): void {
      if (first.length === 0) controller.close();
    },
    async pull(controller): Promise<void> {
      // There is always a request: who reads without a buffer of their own is given one of CHUNK octets.
      const request = controller.byobRequest as ReadableStreamBYOBRequest;
      const view = request.view as Uint8Array<ArrayBuffer>;
      if (left.length > 0) {
        const octets = Math.min(left.length, view.length);
        view.set(left.subarray(0, octets));
        left = left.subarray(octets);
        return request.respond(octets);
      }
      // The program's output comes straight into the reader's buffer.
      const octets = await run.read(view);
      if (octets.length === 0) controller.close();
      request.respondWithNewView(octets);
    },
    cancel(reason): void {
      // Who needs no more (TOP) gives no reason.
      run.end(reason === undefined ? undefined : cancelled(reason));
    },
  });
}
