/** Which transformer the sessions of a thread get. */

import type { Observer } from "../../contracts/event.ts";
import type { SessionSettings } from "../../contracts/settings.ts";
import { NoTransformer } from "../../transform/no_transformer.ts";
import type { ProcessGroups } from "../../contracts/process_groups.ts";
import { ProgramTransformer } from "../../transform/program_transformer.ts";
import type { SpawnLock } from "../../transform/spawn_lock.ts";
import type { Transformer } from "../../contracts/transformer.ts";
import type { Turns } from "../../async/semaphore.ts";

/** What the transformer of a thread is made from. */
export interface TransformerOptions {
  /** The program's path and arguments, or undefined for none. */
  readonly command: readonly [string, ...string[]] | undefined;
  /** The program's PATH. */
  readonly path: string;
  readonly turns: Turns;
  readonly groups: ProcessGroups;
  readonly spawnLock: SpawnLock;
  readonly observe: Observer;
  /** The settings in force now. */
  readonly settings: () => SessionSettings;
}

/** Makes the transformer of a thread's sessions, which is theirs for the life of the thread. */
export function makeTransformer(options: TransformerOptions): Transformer {
  const { command, path, turns, groups, spawnLock, observe, settings } = options;
  if (command === undefined) return new NoTransformer();
  return new ProgramTransformer({
    command,
    path,
    turns,
    groups,
    spawnLock,
    observe,
    timeout: () => settings().transformerTimeout * 1000,
    onFailure: settings().transformerFailure,
  });
}
