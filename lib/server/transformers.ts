/** Which transformer the sessions of a thread get. */

import type { Observer } from "../observe/event.ts";
import type { SessionSettings } from "../settings/settings.ts";
import { NoTransformer } from "../transform/no_transformer.ts";
import type { ProcessGroups } from "../transform/process_groups.ts";
import { ProgramTransformer } from "../transform/program_transformer.ts";
import type { SpawnLock } from "../transform/spawn_lock.ts";
import type { Transformer } from "../transform/transformer.ts";
import type { Turns } from "../transform/turnstile.ts";

/** What the transformer of a thread is made from. */
export interface TransformerFactoryOptions {
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

/** Makes the function that gives each session its transformer: one for the life of the thread. */
export function transformerFactory(options: TransformerFactoryOptions): () => Transformer {
  const { command, path, turns, groups, spawnLock, observe, settings } = options;
  const transformer = command === undefined ? new NoTransformer() : new ProgramTransformer({
    command,
    path,
    turns,
    groups,
    spawnLock,
    observe,
    timeout: () => settings().transformerTimeout * 1000,
    onFailure: settings().transformerFailure,
  });
  return () => transformer;
}
