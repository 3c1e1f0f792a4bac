/** HISTORY: the last minutes of one of the server's figures. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { timeText } from "../text.ts";
import { firstWord, refused, wholeNumber } from "../words.ts";

/** A row a minute is kept for a week (operations.md, "Watching it"). */
const MOST_MINUTES = 7 * 24 * 60;
const USUAL_MINUTES = "60";

/** The HISTORY command: a line a minute, the oldest first and the one under way last. */
export const history = command<Administration, { name: string; minutes: number }, MsmpContext>({
  name: "HISTORY",
  args(text): { name: string; minutes: number } {
    const { word: name, rest } = firstWord(text);
    if (name === "") throw new SyntaxError("Missing name");
    const minutes = rest.trim() === "" ? USUAL_MINUTES : rest.trim();
    return { name, minutes: wholeNumber(minutes, "number of minutes", 1, MOST_MINUTES) };
  },
  async handle(phase, { name, minutes }): Promise<Reply> {
    const { figures, caughtUp } = phase.context.services.management;
    await caughtUp();
    const rows = figures.history(name, minutes);
    if (rows === undefined) return refused("Unknown metric; STAT without a name lists all");
    return await linesAnswer(
      phase,
      rows.map(({ minute, value }) => `${timeText(minute).slice(0, 16)} ${thousandths(value)}`),
    );
  },
});

/** Means of milliseconds are no whole numbers. */
function thousandths(value: number): number {
  return Math.round(value * 1000) / 1000;
}
