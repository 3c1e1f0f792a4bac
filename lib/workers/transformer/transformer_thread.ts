/** The program of a thread that runs one transformer program on messages, and holds no more permissions than that takes. */

import type { ProcessGroups } from "../../contracts/process_groups.ts";
import { TransformerError } from "../../contracts/transformer.ts";
import { MessageMovedError } from "../../contracts/programs.ts";
import { openMessageFile } from "../../mail/folder/message_file.ts";
import { systemClock } from "../../transform/clock.ts";
import { CHUNK, RingWriter } from "../../transform/output_ring.ts";
import { ProgramRun } from "../../transform/program_run.ts";
import { SpawnLock } from "../../transform/spawn_lock.ts";
import type { FromTransformer, RunFailure, RunOrder, ToTransformer } from "./messages.ts";

/** Milliseconds that what a program left behind may be silent when the program itself has ended well. */
const GRACE_MS = 500;

/** The thread's own side of its port to the main thread. */
interface ThreadScope {
  postMessage(message: FromTransformer): void;
  onmessage: ((event: MessageEvent<ToTransformer>) => void) | null;
}

const scope = globalThis as unknown as ThreadScope;

function post(message: FromTransformer): void {
  scope.postMessage(message);
}

/** Runs the program. */
class TransformerThread {
  readonly #command: readonly [string, ...string[]];
  readonly #spawnLock: SpawnLock;
  readonly #runs = new Map<number, ProgramRun>();
  /** By run: called when its process group is gone. */
  readonly #groupsEnding = new Map<number, () => void>();

  constructor({ command, spawnLock, spawner }: ToTransformer & { readonly type: "setup" }) {
    this.#command = command;
    this.#spawnLock = new SpawnLock(spawnLock, spawner);
  }

  obey(message: ToTransformer): void {
    switch (message.type) {
      case "setup":
        return;
      case "ping":
        return post({ type: "pong" });
      case "start":
        return this.#start(message.order);
      case "end":
        return this.#runs.get(message.run)?.end(errorOf(message.failure));
      case "group-ended":
        this.#groupsEnding.get(message.run)?.();
        this.#groupsEnding.delete(message.run);
        return;
    }
  }

  #start(order: RunOrder): void {
    const ring = new RingWriter(order.ring);
    const begun = performance.now();
    let run;
    try {
      run = this.#spawn(order, ring);
    } catch (error) {
      const failure = failureOf(error);
      ring.end("broken");
      post({ type: "broken", run: order.run, failure });
      const milliseconds = performance.now() - begun;
      post({ type: "ended", run: order.run, end: { failure, stderrTail: "", milliseconds } });
      return;
    }
    void this.#follow(order, run, ring);
    void this.#pump(order, run, ring);
  }

  #spawn({ run, env, file, timeout }: RunOrder, ring: RingWriter): ProgramRun {
    using untilStarted = new DisposableStack();
    const message = untilStarted.use(openMessageFile(file));
    const started = new ProgramRun({
      command: this.#command,
      env,
      message,
      timeout,
      grace: GRACE_MS,
      groups: this.#groups(run),
      spawnLock: this.#spawnLock,
      clock: systemClock,
      wanted: () => ring.isEmpty,
    });
    untilStarted.move();
    return started;
  }

  /** The main thread ends process groups: a thread that may run one program cannot signal any. */
  #groups(run: number): ProcessGroups {
    return {
      started: (pid) => post({ type: "started", run, pid }),
      end: () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const before = this.#groupsEnding.get(run);
        this.#groupsEnding.set(run, () => {
          before?.();
          resolve();
        });
        post({ type: "end-group", run });
        return promise;
      },
    };
  }

  async #follow({ run }: RunOrder, program: ProgramRun, ring: RingWriter): Promise<void> {
    this.#runs.set(run, program);
    const { failure, stderrTail, milliseconds } = await program.ended;
    this.#runs.delete(run);
    ring.stop();
    const end = { failure: failure && failureOf(failure), stderrTail, milliseconds };
    post({ type: "ended", run, end });
  }

  /** Brings the output into the ring, as fast as it is taken out. */
  async #pump(order: RunOrder, program: ProgramRun, ring: RingWriter): Promise<void> {
    let buffer = new Uint8Array(CHUNK);
    try {
      for (;;) {
        await this.#room(order, program, ring);
        const octets = await program.read(buffer);
        if (octets.length === 0) break;
        ring.write(octets);
        buffer = new Uint8Array(octets.buffer);
      }
      ring.end("whole");
    } catch (error) {
      ring.end("broken");
      post({ type: "broken", run: order.run, failure: failureOf(error) });
    }
  }

  /** Whoever takes nothing for too long has no client any more: the program's turn is for others. */
  async #room({ takeTimeout }: RunOrder, program: ProgramRun, ring: RingWriter): Promise<void> {
    const room = ring.room();
    if (room === undefined) return;
    const late = (): void =>
      program.end(new TransformerError("cancelled", "Nobody takes the transformer's output"));
    const timer = takeTimeout === 0 ? undefined : setTimeout(late, takeTimeout);
    await room;
    clearTimeout(timer);
  }
}

function failureOf(error: unknown): RunFailure {
  if (error instanceof MessageMovedError) return { reason: "moved", message: error.message };
  if (error instanceof TransformerError) return { reason: error.reason, message: error.message };
  const why = error instanceof Error ? error.message : String(error);
  return { reason: "internal", message: `The transformer could not be run: ${why}` };
}

function errorOf(failure: RunFailure | undefined): TransformerError | undefined {
  if (failure === undefined) return undefined;
  const { reason, message } = failure;
  return new TransformerError(reason === "moved" ? "input" : reason, message);
}

function die(event: Event, error: unknown): void {
  event.preventDefault();
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  post({ type: "died", message, stack });
}
globalThis.addEventListener("error", (event) => die(event, event.error));
globalThis.addEventListener("unhandledrejection", (event) => die(event, event.reason));

let thread: TransformerThread | undefined;
scope.onmessage = ({ data }) => {
  if (data.type === "setup") thread = new TransformerThread(data);
  else thread?.obey(data);
};
