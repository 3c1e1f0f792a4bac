/** The program that changes messages on their way out. */

import type { Definitions } from "../definition.ts";
import { wholeNumber } from "../types/numbers.ts";
import { choice, commandLine, program } from "../types/texts.ts";
import { listOf } from "../types/value_type.ts";

export const transformer = {
  transformer: {
    type: commandLine,
    default: "none",
    live: true,
    letter: "t",
    help: "program that every message is passed through on its way out",
  },
  allowTransformer: {
    type: listOf(program),
    default: [],
    defaultText: "any program that exists",
    help: "only these programs may be set, and only these may run",
  },
  transformerTimeout: {
    type: wholeNumber({ min: 1, max: 86_400, unit: "seconds" }),
    default: 30,
    live: true,
    help: "silence after which the program is ended",
  },
  transformerFailure: {
    type: choice(["reject", "bypass"]),
    default: "reject",
    help: "answer -ERR when the program fails, or send the message as it is stored",
  },
  maxTransformers: {
    type: wholeNumber({ min: 1, max: 10_000 }),
    default: (machine) => 2 * machine.cores,
    defaultText: "2 a core",
    live: true,
    help: "programs that run at once; the rest wait their turn",
  },
} as const satisfies Partial<Definitions>;
