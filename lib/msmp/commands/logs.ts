/** LOGS: a user's access log. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { ANSWER_OCTETS, fitted, linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import type { AccessInfo } from "../../contracts/management.ts";
import type { Administration } from "../phases.ts";
import { field, timeText, timeWord } from "../text.ts";
import { name, refused, wholeNumber } from "../words.ts";

/** The access log keeps no more of a user (operations.md). */
const ALL = 10_000;

/** Lines of a version 1 log that could fit: the shortest has an address of two octets. */
const MOST_IN_VERSION_1 = Math.ceil(ANSWER_OCTETS / "2026-01-31 12:00:00 IP: ::\r\n".length);

/** LOGS of version 1: when and from where. */
export const classicLogs = command<Administration, string, MsmpContext>({
  name: "LOGS",
  args: name("user name"),
  async handle(phase, given): Promise<Reply> {
    const { users, caughtUp } = phase.context.services.management;
    const user = await users.find(given);
    if (user === undefined) return refused("Invalid user");
    await caughtUp();
    const [total, records] = await Promise.all([
      users.logCount(user),
      users.logs(user, MOST_IN_VERSION_1),
    ]);
    return { kind: "lines", lines: fitted(records.map(classicLine), total, "last") };
  },
});

/** LOGS of version 2: the whole records. A name may hold blanks: what names a user as it stands has no number behind it. */
export const logs = command<Administration, string, MsmpContext>({
  name: "LOGS",
  args: name("user name"),
  async handle(phase, given): Promise<Reply> {
    const { users, caughtUp } = phase.context.services.management;
    const whole = await users.find(given);
    const { user: wanted, most } = whole === undefined
      ? userAndCount(given)
      : { user: whole, most: ALL };
    const user = whole ?? await users.find(wanted);
    if (user === undefined) return refused("Invalid user");
    await caughtUp();
    return await linesAnswer(phase, (await users.logs(user, most)).map(wholeLine));
  },
});

/** @throws {SyntaxError} when what stands behind the name is no number of records */
function userAndCount(text: string): { user: string; most: number } {
  const count = / ([^ ]+)$/.exec(text);
  if (count === null) return { user: text, most: ALL };
  return {
    user: text.slice(0, count.index).trim(),
    most: wholeNumber(count[1]!, "number of records", 1, ALL),
  };
}

function classicLine({ at, address }: AccessInfo): string {
  return `${timeText(at)} IP: ${address}`;
}

function wholeLine(record: AccessInfo): string {
  const { tls, mechanism, session, end } = record;
  const fields = {
    tls,
    mechanism,
    messages: end?.messages,
    octets: end?.octets,
    deleted: end?.deleted,
    ended: end && timeWord(end.ended),
    ending: end?.ending,
    session,
  };
  const told = Object.entries(fields).map(([key, value]) => `${key}=${field(value?.toString())}`);
  return [classicLine(record), ...told].join(" ");
}
