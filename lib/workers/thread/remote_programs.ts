/** Transformers as a session worker has them: another thread runs the programs, and the main thread keeps the turns. */

import type { StoredMessage } from "../../contracts/mail_store.ts";
import {
  MessageMovedError,
  type Programs,
  type ProgramTurn,
  type RunningProgram,
} from "../../contracts/programs.ts";
import { type TransformContext, TransformerError } from "../../contracts/transformer.ts";
import { ringMemory, RingReader } from "../../transform/output_ring.ts";
import type { FromWorker } from "../messages.ts";
import type { RunFailure } from "../transformer/messages.ts";
import type { MainCalls } from "./main_calls.ts";

/** Memories for output that are kept for later runs. */
const MOST_SPARE_RINGS = 8;

/** Programs by messages. */
export class RemotePrograms implements Programs {
  readonly #calls: MainCalls;
  readonly #post: (message: FromWorker) => void;
  /** By turn. */
  readonly #runs = new Map<number, RemoteRun>();
  readonly #spareRings: SharedArrayBuffer[] = [];

  constructor(calls: MainCalls, post: (message: FromWorker) => void) {
    this.#calls = calls;
    this.#post = post;
  }

  async enter({ session, signal }: TransformContext): Promise<ProgramTurn> {
    const turn = await this.#calls.call("enterTurn", [session], signal);
    let isFree = true;
    return {
      start: (message, context) => {
        const run = this.#start(turn, message, context);
        isFree = false;
        return run;
      },
      [Symbol.dispose]: () => {
        if (isFree) this.#post({ type: "leave-turn", turn });
        isFree = false;
      },
    };
  }

  /** The output of a turn's program is broken. */
  broken(turn: number, failure: RunFailure): void {
    this.#runs.get(turn)?.break(failure);
  }

  /** Nobody of a turn's program is left. */
  ended(turn: number, failure: RunFailure | undefined): void {
    const run = this.#runs.get(turn);
    if (run === undefined) return;
    this.#runs.delete(turn);
    if (failure !== undefined) run.break(failure);
    run.settle();
  }

  /** Keeps the memory of a run that has ended well, and whose output was taken to its end, for another one. */
  #spare(ring: SharedArrayBuffer): void {
    if (this.#spareRings.length < MOST_SPARE_RINGS) this.#spareRings.push(ring);
  }

  #start(turn: number, { file }: StoredMessage, { uid }: TransformContext): RunningProgram {
    if (file === undefined) throw new TypeError("A message that lies in no file has no program");
    const ring = this.#spareRings.pop() ?? ringMemory();
    const run = new RemoteRun({
      ring,
      end: (cancelled) => this.#post({ type: "end-run", turn, cancelled }),
      done: () => this.#spare(ring),
    });
    this.#runs.set(turn, run);
    this.#post({ type: "start-run", start: { turn, uid, file, ring } });
    return run;
  }
}

/** What a run by messages is made of. */
interface RemoteRunOptions {
  readonly ring: SharedArrayBuffer;
  /** Ends the program, as failed by the session's end or not. */
  readonly end: (cancelled: boolean) => void;
  /** Told once nobody writes into the ring any more, and nobody reads; never where the output broke. */
  readonly done: () => void;
}

/** A program that another thread runs. */
class RemoteRun implements RunningProgram {
  readonly #options: RemoteRunOptions;
  readonly #reader: RingReader;
  readonly #over = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<Error>();
  #hasEnded = false;
  /** Whoever wrote an output that broke may be a thread that takes its last steps. */
  #isBroken = false;
  #isWritten = false;
  #isRead = false;

  constructor(options: RemoteRunOptions) {
    this.#options = options;
    this.#reader = new RingReader(options.ring);
  }

  get ended(): Promise<void> {
    return this.#over.promise;
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const octets = await this.#reader.read(into);
    if (typeof octets === "number") return into.subarray(0, octets);
    if (octets === "broken") throw await this.#failed.promise;
    this.#finish("read");
    return into.subarray(0, 0);
  }

  end(failure?: TransformerError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#options.end(failure !== undefined);
    // Nobody reads on.
    if (failure === undefined) return this.#finish("read");
    this.#isBroken = true;
    this.#failed.resolve(failure);
    this.#reader.break();
  }

  /** The output is broken for a reason that lies elsewhere. */
  break(failure: RunFailure): void {
    this.#isBroken = true;
    this.#failed.resolve(errorOf(failure));
    this.#reader.break();
  }

  /** Nobody of the program is left. What it has written may not have been read by now. */
  settle(): void {
    this.#over.resolve();
    this.#finish("written");
  }

  #finish(side: "read" | "written"): void {
    const before = this.#isRead && this.#isWritten;
    if (side === "read") this.#isRead = true;
    else this.#isWritten = true;
    if (!before && this.#isRead && this.#isWritten && !this.#isBroken) this.#options.done();
  }
}

function errorOf({ reason, message }: RunFailure): Error {
  return reason === "moved"
    ? new MessageMovedError(message)
    : new TransformerError(reason, message);
}
