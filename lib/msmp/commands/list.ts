/** LIST: names the users, or says how many records a user's access log has. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { shown } from "../text.ts";
import { refused } from "../words.ts";

/** The LIST command. */
export const list = command<Administration, string, MsmpContext>({
  name: "LIST",
  args: (rest) => rest.trim(),
  handle: (phase, user) => user === "" ? listAll(phase) : listOne(phase, user),
});

/** A page is read ahead, so that no users is told from some; the rest streams. */
async function listAll(phase: Administration): Promise<Reply> {
  const names = phase.context.services.management.users.list()[Symbol.asyncIterator]();
  const first = await names.next();
  if (first.done) return refused("No users");
  return await linesAnswer(phase, shownNames(first.value, names));
}

async function* shownNames(
  first: string,
  names: AsyncIterator<string>,
): AsyncGenerator<string> {
  yield shown(first);
  for (let next = await names.next(); !next.done; next = await names.next()) {
    yield shown(next.value);
  }
}

async function listOne(phase: Administration, given: string): Promise<Reply> {
  const { users, caughtUp } = phase.context.services.management;
  const user = await users.find(given);
  if (user === undefined) return refused("User does not exist");
  await caughtUp();
  return await linesAnswer(phase, [`${shown(user)} ${await users.logCount(user)} logs`]);
}
