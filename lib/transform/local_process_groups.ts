/** Ends process groups from a thread that may signal any process. */

import { type Clock, pause, systemClock } from "./clock.ts";
import type { ProcessGroups } from "../contracts/process_groups.ts";

/** How groups are signalled and watched. */
export interface LocalProcessGroupsOptions {
  /**
   * Milliseconds between SIGTERM and SIGKILL.
   *
   * @default 500
   */
  readonly grace?: number;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Sends a signal to a process group, given as a negative number (kill(2)); 0 only asks whether it is there. */
  readonly kill?: (pid: number, signal: Deno.Signal | 0) => void;
}

/** The first and the longest pause between two looks at a group that was told to end, in milliseconds. */
const FIRST_LOOK = 1;
const LONGEST_LOOK = 50;

/** Process groups that this thread signals itself; needs the whole permission to run. */
export class LocalProcessGroups implements ProcessGroups {
  readonly #grace: number;
  readonly #clock: Clock;
  readonly #kill: (pid: number, signal: Deno.Signal | 0) => void;
  readonly #running = new Set<number>();
  readonly #ending = new Map<number, Promise<void>>();

  constructor(options: LocalProcessGroupsOptions = {}) {
    this.#grace = options.grace ?? 500;
    this.#clock = options.clock ?? systemClock;
    this.#kill = options.kill ?? ((pid, signal) => Deno.kill(pid, signal as Deno.Signal));
  }

  /** The groups that have not been ended, by their leaders' process ids. */
  get running(): ReadonlySet<number> {
    return this.#running;
  }

  started(pid: number): void {
    // kill(2) takes 0, -1 and 1 for "my own group", "everyone" and init: none of them can be a program that we started.
    if (!Number.isInteger(pid) || pid < 2) {
      throw new RangeError(`${pid} was reported as a program's process id: it must be at least 2`);
    }
    this.#running.add(pid);
  }

  end(pid: number): Promise<void> {
    const ending = this.#ending.get(pid);
    if (ending !== undefined) return ending;
    if (!this.#running.has(pid)) return Promise.resolve();
    const ended = this.#end(pid).finally(() => {
      this.#ending.delete(pid);
      this.#running.delete(pid);
    });
    this.#ending.set(pid, ended);
    return ended;
  }

  /** Ends every group that was told of: when the thread that started them has died, or the server stops. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#running].map((pid) => this.end(pid)));
  }

  async #end(pid: number): Promise<void> {
    if (!this.#signal(pid, "SIGTERM")) return;
    const until = this.#clock.now() + this.#grace;
    for (
      let look = FIRST_LOOK;
      this.#clock.now() < until;
      look = Math.min(2 * look, LONGEST_LOOK)
    ) {
      await pause(this.#clock, look);
      if (!this.#signal(pid, 0)) return;
    }
    this.#signal(pid, "SIGKILL");
  }

  /** Signals the group; false when nobody of it is there to be signalled. */
  #signal(pid: number, signal: Deno.Signal | 0): boolean {
    try {
      this.#kill(-pid, signal);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      // Said of a group of zombies on macOS, and of one that became another user: neither can be ended by us.
      if (error instanceof Deno.errors.PermissionDenied) return false;
      throw error;
    }
  }
}
