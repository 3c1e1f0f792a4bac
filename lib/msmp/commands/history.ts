/** HISTORY: the last minutes of one of the server's figures. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import { figuresOf, type ForNode, forNode } from "../node_argument.ts";
import type { Administration } from "../phases.ts";
import { timeText } from "../text.ts";
import { firstWord, refused, wholeNumber } from "../words.ts";

/** A row a minute is kept for a week (operations.md, "Watching it"). */
const MOST_MINUTES = 7 * 24 * 60;
const USUAL_MINUTES = "60";

interface Asked {
  readonly name: string;
  readonly minutes: number;
}

/** The HISTORY command: a line a minute, the oldest first and the one under way last. */
export const history = command<Administration, ForNode<Asked>, MsmpContext>({
  name: "HISTORY",
  args: forNode((text): Asked => {
    const { word: name, rest } = firstWord(text);
    if (name === "") throw new SyntaxError("Missing name");
    const minutes = rest.trim() === "" ? USUAL_MINUTES : rest.trim();
    return { name, minutes: wholeNumber(minutes, "number of minutes", 1, MOST_MINUTES) };
  }),
  async handle(phase, { given: { name, minutes }, node }): Promise<Reply> {
    const { management } = phase.context.services;
    await management.caughtUp();
    const rows = await (await figuresOf(management, node)).history(name, minutes);
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
