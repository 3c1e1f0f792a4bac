/** HISTORY: the last minutes of one of the server's figures. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { Management } from "../../contracts/management.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import { figuresOf, type ForNode, forNode } from "../node_argument.ts";
import type { Administration } from "../phases.ts";
import { timeText } from "../text.ts";
import { firstWord, refused, wholeNumber } from "../words.ts";

/** A row a minute is kept for a week (operations.md, "Watching it"), a row an hour for two years. */
const MOST_MINUTES = 7 * 24 * 60;
const MOST_HOURS = 2 * 366 * 24;
const USUAL = { minutes: "60", hours: "48" };

interface Asked {
  readonly name: string;
  readonly count: number;
  readonly unit: "minutes" | "hours";
}

/** The HISTORY command: a line a minute or an hour, the oldest first and the one under way last. */
export const history = command<Administration, ForNode<Asked>, MsmpContext>({
  name: "HISTORY",
  args: forNode((text): Asked => {
    const { word: name, rest } = firstWord(text);
    if (name === "") throw new SyntaxError("Missing name");
    const unit = /(?:^| )(?:--)?hours *$/i.test(rest) ? "hours" : "minutes";
    const said = rest.replace(/(?:^| )(?:--)?hours *$/i, "").trim();
    const most = unit === "hours" ? MOST_HOURS : MOST_MINUTES;
    const count = wholeNumber(said === "" ? USUAL[unit] : said, `number of ${unit}`, 1, most);
    return { name, count, unit };
  }),
  async handle(phase, { given, node }): Promise<Reply> {
    const { management } = phase.context.services;
    if (given.unit === "hours" && node !== undefined) {
      return refused("A server keeps only its own hours; ask that server");
    }
    await management.caughtUp();
    const rows = await rowsOf(management, given, node);
    if (rows === undefined) return refused("Unknown metric; STAT without a name lists all");
    return await linesAnswer(
      phase,
      rows.map(({ at, value }) => `${timeText(at).slice(0, 16)} ${thousandths(value)}`),
    );
  },
});

/** Means of milliseconds are no whole numbers. */
function thousandths(value: number): number {
  return Math.round(value * 1000) / 1000;
}

async function rowsOf(
  management: Management,
  { name, count, unit }: Asked,
  node: string | undefined,
): Promise<readonly { readonly at: number; readonly value: number }[] | undefined> {
  if (unit === "hours") {
    const rows = await management.figures.hours(name, count);
    return rows?.map(({ hour, value }) => ({ at: hour, value }));
  }
  const rows = await (await figuresOf(management, node)).history(name, count);
  return rows?.map(({ minute, value }) => ({ at: minute, value }));
}
