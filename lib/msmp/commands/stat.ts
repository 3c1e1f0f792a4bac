/** STAT: the server's figures. */

import { optionalWord } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import type { Figures } from "../../contracts/management.ts";
import { figuresOf, type ForNode, forNode } from "../node_argument.ts";
import type { Administration } from "../phases.ts";
import { refused } from "../words.ts";

/** The three figures of version 1, by what it calls them. */
const CLASSIC = [
  ["Total connections", "pop3.connections"],
  ["Historical maximum traffic", "pop3.sessions.peak"],
  ["Total transferred bytes", "pop3.bytes.sent"],
] as const;

/** Where the values begin: in one column, behind the longest title and a blank. */
const VALUES_AT = Math.max(...CLASSIC.map(([title]) => title.length)) + 2;

/** STAT of version 1. */
export const classicStat = command<Administration, void, MsmpContext>({
  name: "STAT",
  args: (rest) => {
    if (rest.trim() !== "") throw new SyntaxError("STAT with a name requires MSMP 2");
  },
  async handle(phase): Promise<Reply> {
    const { management } = phase.context.services;
    await management.caughtUp();
    const figures = await figuresOf(management, undefined);
    return await linesAnswer(
      phase,
      CLASSIC.map(([title, name]) => `${`${title}:`.padEnd(VALUES_AT)}${figures.get(name) ?? 0}`),
    );
  },
});

/** STAT of version 2: every figure by its name, or one. */
export const stat = command<Administration, ForNode<string | undefined>, MsmpContext>({
  name: "STAT",
  args: forNode(optionalWord("name")),
  async handle(phase, { given: name, node }): Promise<Reply> {
    const { management } = phase.context.services;
    await management.caughtUp();
    const figures = await figuresOf(management, node);
    if (name === undefined) return await linesAnswer(phase, figureLines(figures));
    const value = figures.get(name);
    if (value === undefined) return refused("Unknown metric; STAT without a name lists all");
    return await linesAnswer(phase, [`${name}: ${value}`]);
  },
});

/** Every figure, as STAT and WATCH show them. */
export function figureLines(figures: Figures): string[] {
  return Array.from(figures.all(), ([name, value]) => `${name}: ${value}`);
}
