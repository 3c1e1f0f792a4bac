/** The program that changes messages on their way out. */

import type { Definitions } from "../definition.ts";
import { wholeNumber } from "../types/numbers.ts";
import { choice, commandLine, program } from "../types/texts.ts";
import { listOf } from "../types/value_type.ts";

export const transformer = {
  transformer: {
    type: commandLine,
    default: "none",
    letter: "t",
    takesEffect: "next session",
    session: true,
    help: "program that every message is piped through when it is retrieved",
  },
  allowTransformer: {
    type: listOf(program),
    default: [],
    defaultText: "any program that exists",
    takesEffect: "next start",
    help: "restrict transformers to these programs",
  },
  transformerTimeout: {
    type: wholeNumber({ min: 1, max: 86_400, unit: "seconds" }),
    default: 30,
    takesEffect: "next session",
    session: true,
    help: "kill the program after this many seconds without output",
  },
  transformerFailure: {
    type: choice(["reject", "bypass"]),
    default: "reject",
    takesEffect: "next start",
    session: true,
    help: "what to do when the program fails: answer -ERR, or send the message as stored",
  },
  maxTransformers: {
    type: wholeNumber({ min: 1, max: 10_000 }),
    default: (machine) => 2 * machine.cores,
    defaultText: "2 per core",
    takesEffect: "now",
    help: "maximum transformer processes running at the same time",
  },
} as const satisfies Partial<Definitions>;
