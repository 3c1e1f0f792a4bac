/** Tells workers what has changed, when something has. */

import type { WorkerState } from "./messages.ts";
import type { Supervisor } from "./supervisor.ts";

/** Compares what workers know with what is true. */
export class WorkerRefresher {
  readonly #supervisor: Pick<Supervisor, "update">;
  readonly #state: () => WorkerState;
  #told: WorkerState;

  constructor(supervisor: Pick<Supervisor, "update">, state: () => WorkerState) {
    this.#supervisor = supervisor;
    this.#state = state;
    this.#told = state();
  }

  /** Tells all workers the settings, bans and kinds of keys that are in force now, if they are others than before. */
  refresh(): void {
    const { settings, scramForAll, bearer, asks } = this.#state();
    const told = this.#told;
    const same = told.scramForAll === scramForAll && told.bearer === bearer && told.asks === asks &&
      JSON.stringify(told.settings) === JSON.stringify(settings);
    if (same) return;
    this.#told = { settings, scramForAll, bearer, asks };
    this.#supervisor.update(this.#told);
  }
}
