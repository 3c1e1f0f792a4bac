/** The threads that run transformers: one for each generation of workers that has a transformer. */

import { logger } from "../../log/logging.ts";
import type { LocalProcessGroups } from "../../transform/local_process_groups.ts";
import { SpawnLock, spawnLockMemory } from "../../transform/spawn_lock.ts";
import type { Generation } from "../generation.ts";
import { transformerPermissions } from "../worker_permissions.ts";
import type { StartProgram } from "../worker_runs.ts";
import { TransformerHandle } from "./transformer_handle.ts";

const log = logger("workers");

/** Milliseconds that a thread that died may still run its last instructions. */
const LAST_BREATH_MS = 1000;

/** Makes a generation's thread when it is first needed, and another when it died. */
export class Transformers {
  readonly #groups: LocalProcessGroups;
  readonly #threads = new Map<Generation, TransformerHandle>();
  readonly #spawnLock = spawnLockMemory();
  #spawners = 0;

  constructor(groups: LocalProcessGroups) {
    this.#groups = groups;
  }

  /** What starts the program of a generation's transformer, undefined where it has none. */
  starter(generation: Generation): StartProgram | undefined {
    const command = generation.transformer;
    if (command === undefined) return undefined;
    // The first message is not to wait for it.
    this.#thread(generation, command);
    return (order, listener) => this.#thread(generation, command).start(order, listener);
  }

  /** Ends the thread of a generation that nobody belongs to any more. */
  letGo(generation: Generation): void {
    this.#threads.get(generation)?.[Symbol.dispose]();
    this.#threads.delete(generation);
  }

  #thread(
    generation: Generation,
    command: NonNullable<Generation["transformer"]>,
  ): TransformerHandle {
    const running = this.#threads.get(generation);
    if (running !== undefined) return running;
    const spawner = this.#spawners++;
    const thread = new TransformerHandle({
      command,
      permissions: transformerPermissions(
        generation.settings.maildir,
        command[0],
        generation.folders.slice(1),
      ),
      groups: this.#groups,
      spawnLock: this.#spawnLock,
      spawner,
      died: (error) => {
        log.error("The thread that runs transformers died: {error}", { error });
        this.#threads.delete(generation);
        setTimeout(() => new SpawnLock(this.#spawnLock, spawner).freeThread(), LAST_BREATH_MS);
      },
    });
    this.#threads.set(generation, thread);
    return thread;
  }
}
