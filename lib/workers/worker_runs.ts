/** The transformers of one worker's sessions: turns that it has or waits for, and the programs that run in them. */

import type { Turns } from "../async/semaphore.ts";
import type { SessionSettings } from "../contracts/settings.ts";
import type { Observer } from "../contracts/event.ts";
import type { RunStart, ToWorker } from "./messages.ts";
import type { RunEnd, RunFailure, RunOrder } from "./transformer/messages.ts";
import type { RunListener } from "./transformer/transformer_handle.ts";
import { FalseStatementError, type WorkerSessions } from "./worker_sessions.ts";

/** Starts programs: the thread that runs transformers, as its handle has it. */
export type StartProgram = (
  order: Omit<RunOrder, "run">,
  listener: RunListener,
) => (failure: RunFailure | undefined) => void;

/** Milliseconds that a worker may be late in closing a connection whose client takes nothing. */
const LATE_CLOSE_MS = 60_000;

/** What a worker's transformers are run with. */
export interface WorkerRunsOptions {
  readonly turns: Turns;
  readonly sessions: WorkerSessions;
  /** Undefined where there is no transformer. */
  readonly start: StartProgram | undefined;
  /** The folders of mailboxes, absolute paths: no program reads anything else. */
  readonly folders: readonly string[];
  /** The programs' PATH. */
  readonly path: string;
  readonly settings: () => Pick<SessionSettings, "timeout" | "transformerTimeout">;
  readonly observe: Observer;
  readonly post: (message: ToWorker) => void;
}

/** A turn that a session has. */
interface HeldTurn {
  readonly session: string;
  readonly turn: Disposable;
  /** Ends its program, where one was started. */
  end: ((failure: RunFailure | undefined) => void) | undefined;
}

const CANCELLED: RunFailure = {
  reason: "cancelled",
  message: "The session ended while its transformer ran",
};

/** One worker's turns and programs. */
export class WorkerRuns {
  readonly #options: WorkerRunsOptions;
  /** By the question that each was given for. */
  readonly #turns = new Map<number, HeldTurn>();
  /** Questions that wait, and can be taken back. */
  readonly #waiting = new Map<number, AbortController>();

  constructor(options: WorkerRunsOptions) {
    this.#options = options;
  }

  /** Waits for a turn. Returns the question's number, which is the turn's from then on. */
  async enter(call: number, session: string): Promise<number> {
    const controller = new AbortController();
    this.#waiting.set(call, controller);
    try {
      const turn = await this.#options.turns.enter(controller.signal);
      // A worker that died or asked no more meanwhile gives no turn back.
      if (controller.signal.aborted) {
        turn[Symbol.dispose]();
        throw controller.signal.reason;
      }
      this.#turns.set(call, { session, turn, end: undefined });
      return call;
    } finally {
      this.#waiting.delete(call);
    }
  }

  /** A question need not be answered any more. The answer may be on its way: then nobody over there learns that there is a turn to give back. */
  cancel(call: number): void {
    this.#waiting.get(call)?.abort();
    this.leave(call);
  }

  /** Takes a turn back for which no program was started; what was taken back already is none. */
  leave(turn: number): void {
    const held = this.#turns.get(turn);
    if (held === undefined || held.end !== undefined) return;
    this.#turns.delete(turn);
    held.turn[Symbol.dispose]();
  }

  /**
   * Starts a program in a turn.
   *
   * @throws {FalseStatementError} when the turn is none of the worker's or taken, its session is over, or the file is no mail
   */
  start({ turn, uid, file, ring }: RunStart): void {
    const { folders, path, sessions, settings, start } = this.#options;
    const held = this.#turns.get(turn);
    if (held === undefined || held.end !== undefined || start === undefined) {
      throw new FalseStatementError("A program is started for which there is no turn");
    }
    const { user, address } = sessions.reader(held.session);
    const isBelow = folders.some((folder) => file.path.startsWith(`${folder}/`));
    if (!isBelow || /\/\.\.?(?:\/|$)|\0/.test(file.path)) {
      throw new FalseStatementError("A program is started on a file that is no mail");
    }
    held.end = start({
      env: { PATH: path, POSTERN_USER: user, POSTERN_UIDL: uid, POSTERN_CLIENT: address },
      file,
      ring,
      ...programTimeouts(settings()),
    }, this.#listener(turn, held));
  }

  /** Ends a turn's program; one that has ended already is none. */
  end(turn: number, cancelled: boolean): void {
    this.#turns.get(turn)?.end?.(cancelled ? CANCELLED : undefined);
  }

  /** A session is over, and what runs for it with it. */
  sessionEnded(session: string): void {
    for (const [turn, held] of this.#turns) {
      if (held.session === session) this.#drop(turn, held);
    }
  }

  /** Ends everything: the worker is gone. */
  endAll(): void {
    for (const controller of this.#waiting.values()) controller.abort();
    for (const [turn, held] of this.#turns) this.#drop(turn, held);
  }

  #drop(turn: number, held: HeldTurn): void {
    if (held.end === undefined) this.leave(turn);
    else held.end(CANCELLED);
  }

  #listener(turn: number, { session, turn: place }: HeldTurn): RunListener {
    const { observe, post } = this.#options;
    return {
      started: (pid) => observe({ type: "transformer-started", session, pid }),
      broken: (failure) => post({ type: "run-broken", turn, failure }),
      ended: (end, pid) => {
        this.#turns.delete(turn);
        place[Symbol.dispose]();
        // Nothing has run of a message that must be looked for first.
        if (end.failure?.reason !== "moved") observe(endedEvent(session, end, pid));
        post({ type: "run-ended", turn, failure: end.failure });
      },
    };
  }
}

function endedEvent(
  session: string,
  { failure, milliseconds, stderrTail }: RunEnd,
  pid: number | undefined,
): Parameters<Observer>[0] {
  const reason = failure?.reason === "moved" ? "input" : failure?.reason;
  const ended = { type: "transformer-ended", session, pid, milliseconds, failure: reason } as const;
  return failure !== undefined && stderrTail !== "" ? { ...ended, stderrTail } : ended;
}

/** How long a program may be silent, and its output wait for a client that the worker would have closed by then. */
function programTimeouts(
  { timeout, transformerTimeout }: Pick<SessionSettings, "timeout" | "transformerTimeout">,
): { readonly timeout: number; readonly takeTimeout: number } {
  return {
    timeout: transformerTimeout * 1000,
    takeTimeout: timeout === 0 ? 0 : timeout * 1000 + LATE_CLOSE_MS,
  };
}
