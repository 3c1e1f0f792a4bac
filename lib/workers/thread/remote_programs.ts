/** Turns and process groups as a session worker has them: the main thread keeps both. */

import type { ProcessGroups } from "../../contracts/process_groups.ts";
import type { Turns } from "../../async/semaphore.ts";
import type { MainCalls } from "./main_calls.ts";
import type { FromWorker } from "../messages.ts";

/** One of `max_transformers` turns, which all workers share. */
export class RemoteTurns implements Turns {
  readonly #calls: MainCalls;
  readonly #post: (message: FromWorker) => void;

  constructor(calls: MainCalls, post: (message: FromWorker) => void) {
    this.#calls = calls;
    this.#post = post;
  }

  async enter(signal: AbortSignal): Promise<Disposable> {
    const turn = await this.#calls.call("enterTurn", [], signal);
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.#post({ type: "leave-turn", turn });
        held = false;
      },
    };
  }
}

/** Process groups that the main thread ends: a worker that may run one program cannot signal a group. */
export class RemoteProcessGroups implements ProcessGroups {
  readonly #calls: MainCalls;
  readonly #post: (message: FromWorker) => void;

  constructor(calls: MainCalls, post: (message: FromWorker) => void) {
    this.#calls = calls;
    this.#post = post;
  }

  started(pid: number): void {
    this.#post({ type: "group-started", pid });
  }

  end(pid: number): Promise<void> {
    return this.#calls.call("endGroup", [pid]);
  }
}
