/** The two ways in which lines are answered: version 1 has 512 octets in all, version 2 a frame. */

import type { Reply } from "../wire/reply.ts";
import type { Administration } from "./phases.ts";
import { clipped, octetsOf } from "./text.ts";

/** Octets that an answer of version 1 may have, all its lines and line ends counted. */
export const ANSWER_OCTETS = 512;

const FIRST_LINE = "+OK";

/** Lines between two looks at the clock: making one takes less than that look. */
const LINES_A_LOOK = 64;

/** Which lines stay when not all of them fit. */
export type Kept = "first" | "last";

/** Lines, all of them at hand or as they are read. */
export type Lines = Iterable<string> | AsyncIterable<string>;

/** Answers with lines, in the way of the version that is spoken; version 1 keeps the first that fit. */
export async function linesAnswer(phase: Administration, lines: Lines): Promise<Reply> {
  const { yielder } = phase.context.services;
  if (phase.version === 2) return { kind: "list", text: "", lines: clippedAll(lines) };
  const kept: string[] = [];
  let octets = 0;
  let total = 0;
  for await (const line of lines) {
    total++;
    // A list of 100 000 users must not hold up the logins of this thread.
    if (total % LINES_A_LOOK === 0 && yielder.due()) await yielder.pause();
    // What comes behind the first that cannot fit is only counted.
    if (octets > ANSWER_OCTETS) continue;
    kept.push(line);
    octets += octetsOf(line) + 2;
  }
  return { kind: "lines", lines: fitted(kept, total, "first") };
}

/**
 * Makes an answer of version 1: `+OK`, as many lines as fit, and a line `... <n> more` where there are others.
 *
 * @param lines those that there are, or as many of them as could fit at most
 * @param total how many there are
 * @param kept which end of them matters more
 */
export function fitted(lines: readonly string[], total: number, kept: Kept): string[] {
  const sizes = lines.map((line) => octetsOf(line) + 2);
  let octets = FIRST_LINE.length + 2 + sizes.reduce((sum, size) => sum + size, 0);
  let [from, to] = [0, lines.length];
  const more = (): string => `... ${total - (to - from)} more`;
  const needed = (): number => octets + (to - from < total ? octetsOf(more()) + 2 : 0);
  while (needed() > ANSWER_OCTETS && from < to) octets -= sizes[kept === "first" ? --to : from++]!;
  const rest = to - from < total ? [more()] : [];
  return [FIRST_LINE, ...lines.slice(from, to), ...rest];
}

function clippedAll(lines: Lines): Lines {
  return Symbol.asyncIterator in lines ? clipEach(lines) : Array.from(lines, clipped);
}

async function* clipEach(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield clipped(line);
}
