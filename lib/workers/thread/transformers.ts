/** Which transformer the sessions of a thread get. */

import type { Programs } from "../../contracts/programs.ts";
import type { SessionSettings } from "../../contracts/settings.ts";
import type { Transformer } from "../../contracts/transformer.ts";
import { NoTransformer } from "../../transform/no_transformer.ts";
import { ProgramTransformer } from "../../transform/program_transformer.ts";

/**
 * Makes the transformer of a thread's sessions, which is theirs for the life of the thread.
 *
 * @param programs undefined where messages go out as they are stored
 */
export function makeTransformer(
  programs: Programs | undefined,
  { transformerFailure }: Pick<SessionSettings, "transformerFailure">,
): Transformer {
  if (programs === undefined) return new NoTransformer();
  return new ProgramTransformer({ programs, onFailure: transformerFailure });
}
