/** WATCH: the server's figures, again and again until the client says something. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import { figuresOf } from "../node_argument.ts";
import type { Administration } from "../phases.ts";
import type { MsmpServices } from "../services.ts";
import { timeWord } from "../text.ts";
import { wholeNumber } from "../words.ts";
import { figureLines } from "./stat.ts";

const MOST_SECONDS = 3600;

/** The WATCH command: a snapshot is a line `time: …`, the lines of STAT, and an empty line. */
export const watch = command<Administration, number, MsmpContext>({
  name: "WATCH",
  args: (rest) => wholeNumber(rest.trim(), "number of seconds", 1, MOST_SECONDS),
  handle({ context }, seconds): Reply {
    // Asked for here, for the parts are made later.
    const signal = context.workSignal();
    return { kind: "live", text: "", parts: snapshots(context.services, seconds, signal) };
  },
});

async function* snapshots(
  { clock, management, pause }: MsmpServices,
  seconds: number,
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  do {
    await management.caughtUp();
    yield [
      `time: ${timeWord(clock.wall())}`,
      ...figureLines(await figuresOf(management, undefined)),
      "",
    ];
    await pause(seconds * 1000, signal);
  } while (!signal.aborted);
}
