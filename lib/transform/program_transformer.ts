/** Passes messages through a program on their way to the client. */

import type { StoredMessage } from "../contracts/mail_store.ts";
import type { Observer } from "../contracts/event.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { ProcessGroups } from "../contracts/process_groups.ts";
import { ProgramRun } from "./program_run.ts";
import type { SpawnLock } from "./spawn_lock.ts";
import type {
  MessageBody,
  MessageOutput,
  TransformContext,
  Transformer,
} from "../contracts/transformer.ts";
import { TransformerError } from "../contracts/transformer.ts";
import type { Turns } from "../async/semaphore.ts";

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
  /** Held while a program is started. All threads of the process that start programs must share it. */
  readonly spawnLock: SpawnLock;
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
      return { kind: "output", output: await this.#output(open, context) };
    } catch (error) {
      if (this.#options.onFailure === "reject" || !isProgramsFault(error)) throw error;
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
    using untilStarted = new DisposableStack();
    const turn = untilStarted.use(await this.#turn(context.signal));
    const message = untilStarted.use(await open());
    if (context.signal.aborted) throw cancelled(context.signal.reason);
    const run = this.#start(message, context);
    untilStarted.move();
    this.#follow(run, turn, context);
    return new ProgramOutput(run, await run.read(new Uint8Array(CHUNK)));
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
    const { command, groups, observe, path, spawnLock } = this.#options;
    using stdin = message.openDescriptor();
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
        stdin,
        timeout: this.#options.timeout(),
        grace: this.#options.grace ?? 500,
        groups,
        spawnLock,
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
    const followed = run.ended.then(({ failure, stderrTail, milliseconds }) => {
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
      const tell = failure !== undefined && stderrTail !== "";
      this.#options.observe(tell ? { ...ended, stderrTail } : ended);
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

/** A run's output: what was waited for first, then what comes. */
class ProgramOutput implements MessageOutput {
  readonly #run: ProgramRun;
  #first: Uint8Array<ArrayBuffer> | undefined;

  constructor(run: ProgramRun, first: Uint8Array<ArrayBuffer>) {
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
