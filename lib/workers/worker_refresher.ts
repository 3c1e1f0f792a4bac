/** Tells workers what has changed, when something has. */

import type { SessionSettings, Settings } from "../contracts/settings.ts";
import type { WorkerState } from "./messages.ts";
import { sessionSettings } from "./session_settings.ts";

/** What workers' state is made from: the same, with all settings. */
export interface StateFacts extends Omit<WorkerState, "settings"> {
  readonly settings: Settings;
}

/** Compares what workers know with what is true. */
export class WorkerRefresher {
  readonly #facts: () => StateFacts;
  readonly #tell: (state: WorkerState) => void;
  #told: WorkerState;
  /** What was picked of which settings: settings never change, they are replaced. */
  #picked: { readonly from: Settings; readonly settings: SessionSettings };

  /**
   * @param facts what is true now; asked at every login
   * @param tell brings it to all workers
   */
  constructor(facts: () => StateFacts, tell: (state: WorkerState) => void) {
    this.#facts = facts;
    this.#tell = tell;
    const { settings } = facts();
    this.#picked = { from: settings, settings: sessionSettings(settings) };
    this.#told = this.state();
  }

  /** What is true now, for a worker that starts. */
  state(): WorkerState {
    const { settings: from, ...facts } = this.#facts();
    if (this.#picked.from !== from) this.#picked = { from, settings: this.#pick(from) };
    return { ...facts, settings: this.#picked.settings };
  }

  /** Tells all workers the settings, bans and kinds of keys that are in force now, if they are others than before. */
  refresh(): void {
    const told = this.#told;
    const state = this.state();
    const same = told.scramForAll === state.scramForAll && told.bearer === state.bearer &&
      told.asks === state.asks && told.sharedLocks === state.sharedLocks &&
      told.traces === state.traces && told.settings === state.settings;
    if (same) return;
    this.#told = state;
    this.#tell(state);
  }

  /** The same object as before where nothing that workers know is different. */
  #pick(from: Settings): SessionSettings {
    const settings = sessionSettings(from);
    const before = this.#picked.settings;
    return JSON.stringify(settings) === JSON.stringify(before) ? before : settings;
  }
}
