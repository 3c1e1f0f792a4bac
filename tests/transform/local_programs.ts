/** Runs programs in the thread that asks for them, on messages that tests make up. */

import type { Semaphore } from "../../lib/async/semaphore.ts";
import type { Observer } from "../../lib/contracts/event.ts";
import type { Programs, ProgramTurn, RunningProgram } from "../../lib/contracts/programs.ts";
import type { ProcessGroups } from "../../lib/contracts/process_groups.ts";
import type { StoredMessage } from "../../lib/contracts/mail_store.ts";
import { type TransformContext, TransformerError } from "../../lib/contracts/transformer.ts";
import { systemClock } from "../../lib/transform/clock.ts";
import { type ProgramInput, ProgramRun } from "../../lib/transform/program_run.ts";
import type { SpawnLock } from "../../lib/transform/spawn_lock.ts";
import type { FakeMessage } from "./messages.ts";

/** Which program, and how it is held. */
export interface LocalProgramsOptions {
  readonly command: readonly [string, ...string[]];
  readonly path: string;
  readonly turns: Semaphore;
  readonly groups: ProcessGroups;
  readonly spawnLock: SpawnLock;
  readonly observe: Observer;
  readonly timeout: number;
}

/** Programs of this thread. */
export class LocalPrograms implements Programs {
  readonly #options: LocalProgramsOptions;

  constructor(options: LocalProgramsOptions) {
    this.#options = options;
  }

  async enter({ signal }: TransformContext): Promise<ProgramTurn> {
    const turn = await this.#options.turns.enter(signal);
    let isFree = true;
    return {
      start: (message, context) => {
        const run = this.#start(message, context, turn);
        isFree = false;
        return run;
      },
      [Symbol.dispose]: () => {
        if (isFree) turn[Symbol.dispose]();
      },
    };
  }

  #start(message: StoredMessage, context: TransformContext, turn: Disposable): RunningProgram {
    const { observe } = this.#options;
    const { session } = context;
    using untilStarted = new DisposableStack();
    const input = untilStarted.use((message as FakeMessage).input());
    let run: ProgramRun;
    try {
      run = this.#run(input, context);
      untilStarted.move();
    } catch (error) {
      const failure = error instanceof TransformerError ? error.reason : "internal";
      observe({ type: "transformer-ended", session, pid: undefined, milliseconds: 0, failure });
      throw error;
    }
    observe({ type: "transformer-started", session, pid: run.pid });
    const ended = run.ended.then(({ failure, milliseconds, stderrTail }) => {
      turn[Symbol.dispose]();
      const event = {
        type: "transformer-ended",
        session,
        pid: run.pid,
        milliseconds,
        failure: failure?.reason,
      } as const;
      observe(failure !== undefined && stderrTail !== "" ? { ...event, stderrTail } : event);
    });
    return { read: (into) => run.read(into), end: (failure) => run.end(failure), ended };
  }

  #run(message: ProgramInput, { client, uid, user }: TransformContext): ProgramRun {
    const { command, groups, path, spawnLock, timeout } = this.#options;
    return new ProgramRun({
      command,
      env: { PATH: path, POSTERN_USER: user, POSTERN_UIDL: uid, POSTERN_CLIENT: client },
      message,
      timeout,
      grace: 150,
      groups,
      spawnLock,
      clock: systemClock,
    });
  }
}
