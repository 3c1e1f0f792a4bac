/** One run of a transformer program, from the spawn until nobody of it is left. */

import { type Clock, pause } from "./clock.ts";
import { StderrTail } from "./stderr_tail.ts";
import { OutputWatch } from "./output_watch.ts";
import type { ProcessGroups } from "../contracts/process_groups.ts";
import type { SpawnLock } from "./spawn_lock.ts";
import { TransformerError, type TransformerFailure } from "../contracts/transformer.ts";

/** A program, and what it is run on. */
export interface ProgramRunOptions {
  /** The absolute path of the program, and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What the program works on; a run that was started disposes it when it ends. */
  readonly message: ProgramInput;
  /** Milliseconds of silence that are allowed while output is asked for; 0 for any. */
  readonly timeout: number;
  /** Milliseconds that what the program left behind may be silent when the program itself has ended. */
  readonly grace: number;
  readonly groups: ProcessGroups;
  readonly spawnLock: SpawnLock;
  readonly clock: Clock;
  /** Whether the client has taken all of the output so far: silence counts only then. @default {always} */
  readonly wanted?: () => boolean;
}

/** A message as a program's standard input. */
export interface ProgramInput extends Disposable {
  /** The number that the system knows the open file by. */
  readonly number: number;
  /** Octets. */
  readonly size: number;
  /**
   * Makes sure that who has read it to its end has read the whole message.
   *
   * @throws {MessageChangedError} when it was cut or lengthened
   */
  checkWhole(): void;
}

/** How a run went. */
export interface RunOutcome {
  /** Why it failed, or undefined. */
  readonly failure: TransformerError | undefined;
  /** The beginning of standard error, printable. */
  readonly stderrTail: string;
  /** From the spawn until the end of the output. */
  readonly milliseconds: number;
}

/**
 * A program at work on a message. Its output is read by {@linkcode ProgramRun.read}; when that has told the end or failed, or
 * {@linkcode ProgramRun.end} is called, the run ends: the whole process group goes, all pipes are closed.
 *
 * The program is whole with its exit status: output without status 0 is a failure. What it forked may go on writing after it, as
 * long as octets move; see docs/transformers.md, "When a run ends".
 */
export class ProgramRun {
  readonly pid: number;
  /** Settles when the program is gone and all its pipes are closed; never rejects. */
  readonly ended: Promise<RunOutcome>;

  readonly #options: ProgramRunOptions;
  readonly #child: Deno.ChildProcess;
  readonly #output: ReadableStreamBYOBReader;
  readonly #stderrTail: StderrTail;
  readonly #complained: Promise<void>;
  readonly #watch: OutputWatch;
  readonly #started: number;
  readonly #stop = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<RunOutcome>();
  #status: Deno.CommandStatus | undefined;
  /** Octets of the message, and of output so far. */
  readonly #expected: number;
  #octets = 0;
  #ending = false;
  #failure: TransformerError | undefined;

  /**
   * Starts the program.
   *
   * @throws {TransformerError} when it cannot be started
   */
  constructor(options: ProgramRunOptions) {
    this.#options = options;
    this.#started = options.clock.now();
    this.#expected = options.message.size;
    this.#child = spawn(options);
    this.pid = this.#child.pid;
    options.groups.started(this.pid);
    this.#output = this.#child.stdout.getReader({ mode: "byob" });
    this.#watch = new OutputWatch({
      timeout: options.timeout,
      grace: options.grace,
      clock: options.clock,
      silent: (kind) => this.#silent(kind),
      ...(options.wanted !== undefined && { wanted: options.wanted }),
    });
    this.#stderrTail = new StderrTail(this.#child.stderr);
    this.#complained = this.#stderrTail.start().catch((error) => this.#broken(error));
    this.ended = this.#over.promise;
    this.#child.status.then((status) => this.#exited(status), (error) => this.#broken(error));
  }

  /**
   * Waits for the next output.
   *
   * @param into where to put it; its buffer is taken over
   * @returns the octets, in the same memory; none when the program has ended well
   * @throws {TransformerError} when it failed
   */
  async read(into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    this.#watch.begin();
    const { byteOffset: start, buffer: { byteLength: size } } = into;
    try {
      // When the run is ended meanwhile, the reader is cancelled, and that settles the read.
      const { value, done } = await this.#output.read(into);
      if (this.#failure !== undefined) throw this.#failure;
      if (done) {
        await this.#outputEnded();
        // A reader that was cancelled does not give the memory back.
        return value ?? new Uint8Array(size).subarray(start, start);
      }
      this.#octets += value.length;
      return value;
    } catch (error) {
      const failure = failureOf(error, "internal", "The transformer's output could not be read");
      this.end(failure);
      throw failure;
    } finally {
      this.#watch.finish();
    }
  }

  /** Ends the run at once, as failed where `failure` is given. The first call counts. */
  end(failure?: TransformerError): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#failure = failure;
    this.#watch.stop();
    this.#options.message[Symbol.dispose]();
    this.#stop.resolve();
    const milliseconds = this.#options.clock.now() - this.#started;
    void this.#cleanUp().then(() => {
      this.#over.resolve({
        failure: this.#failure,
        stderrTail: this.#stderrTail.text,
        milliseconds,
      });
    });
  }

  /** At the end of output: waits for the exit status, which says whether the output is whole. */
  async #outputEnded(): Promise<void> {
    if (this.#ending) return;
    const status = await Promise.race([this.#child.status, this.#stop.promise]);
    if (this.#failure !== undefined) throw this.#failure;
    if (status === undefined) return;
    if (!status.success) throw new TransformerError("exit-status", inWords(status));
    this.#checkInput();
    if (this.#octets === 0 && this.#expected > 0) {
      throw new TransformerError(
        "no-output",
        "The transformer ended well, but made nothing of a message that is not empty",
      );
    }
    this.end();
  }

  /** A message that was cut while the program read it has no whole output either. */
  #checkInput(): void {
    try {
      this.#options.message.checkWhole();
    } catch (error) {
      throw failureOf(error, "input", "The message could not be read");
    }
  }

  #exited(status: Deno.CommandStatus): void {
    this.#status = status;
    if (this.#ending) return;
    this.#watch.exited();
    // Nothing can make this output whole any more; what is in the pipe still comes before the failure.
    if (!status.success) this.#endGroup();
  }

  #silent(kind: "timeout" | "left-behind" | "held-open"): void {
    if (kind === "timeout") {
      const seconds = this.#options.timeout / 1000;
      const sentence = `The transformer was silent for ${seconds} s (transformer_timeout)`;
      this.end(new TransformerError("timeout", sentence));
    } else if (kind === "left-behind") {
      this.#endGroup();
    } else {
      // Somebody outside of the group holds the pipe: what is not there by now never comes.
      this.#cancelOutput();
    }
  }

  #endGroup(): void {
    this.#options.groups.end(this.pid).catch((error) => this.#broken(error));
  }

  #cancelOutput(): void {
    this.#output.cancel().catch((error) => this.#broken(error));
  }

  /** Something that does not fail, failed. The first failure is the one to tell; this one where there was none. */
  #broken(error: unknown): void {
    const failure = failureOf(error, "internal", "The transformer could not be watched over");
    this.end(failure);
    this.#failure ??= failure;
  }

  async #cleanUp(): Promise<void> {
    this.#cancelOutput();
    this.#kill("SIGTERM");
    await this.#options.groups.end(this.pid).catch((error) => this.#broken(error));
    this.#kill("SIGKILL");
    await this.#child.status.catch((error) => this.#broken(error));
    await this.#hearOut();
  }

  /** Reads what the program said last, but does not wait long for whoever else holds its standard error. */
  async #hearOut(): Promise<void> {
    const { clock, grace } = this.#options;
    const cancel = new AbortController();
    await Promise.race([this.#complained, pause(clock, grace, cancel.signal)]);
    cancel.abort();
    await this.#stderrTail.stop().catch((error) => this.#broken(error));
  }

  #kill(signal: Deno.Signal): void {
    if (this.#status !== undefined) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It has ended and the status is on its way.
      if (error instanceof TypeError) return;
      this.#broken(error);
    }
  }
}

function spawn(options: ProgramRunOptions): Deno.ChildProcess {
  const [program, ...args] = options.command;
  const command = new Deno.Command(program, {
    args,
    env: options.env,
    clearEnv: true,
    cwd: "/",
    // A descriptor's number is taken as well, of which the declarations know nothing: docs/decisions/0044-the-file-as-input.md.
    stdin: options.message.number as unknown as "piped",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  });
  try {
    // Until it has been started, every program that another thread starts would inherit its standard input.
    return options.spawnLock.during(() => command.spawn());
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied;
    throw failureOf(error, missing ? "not-found" : "internal", `${program} could not be started`);
  }
}

/** The failure that `error` already is, or one of `reason` because of it. */
function failureOf(
  error: unknown,
  reason: TransformerFailure,
  sentence: string,
): TransformerError {
  if (error instanceof TransformerError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new TransformerError(reason, `${sentence}: ${why}`, { cause: error });
}

function inWords(status: Deno.CommandStatus): string {
  if (status.signal !== null) return `The transformer was ended by ${status.signal}`;
  return `The transformer ended with exit status ${status.code}`;
}
