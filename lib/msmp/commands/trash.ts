/** TRASH: lists a user's deleted messages that are kept for a while, puts them back, removes them for good. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { TrashSelection } from "../../contracts/trash.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { shown, timeText } from "../text.ts";
import { firstWord, refused } from "../words.ts";

interface Arguments {
  readonly verb: "LIST" | "RESTORE" | "PURGE";
  readonly user: string;
  readonly selection: TrashSelection;
}

const USAGE =
  "Expected TRASH LIST <user>, or TRASH RESTORE or PURGE with <user> and all, since <time> or unique-ids";

/** The TRASH command of version 2. */
export const trash = command<Administration, Arguments, MsmpContext>({
  name: "TRASH",
  args: readArguments,
  async handle(phase, { verb, user, selection }): Promise<Reply> {
    const { trash } = phase.context.services.management;
    if (verb === "LIST") {
      const messages = await trash.list(user);
      if (messages === undefined) return refused("User does not exist");
      const lines = messages.map(({ at, size, uid, by, subject }) =>
        `${timeText(at)} ${size} ${uid} by=${by === "" ? "-" : shown(by).replaceAll(" ", "/")} ${
          shown(subject)
        }`
      );
      return await linesAnswer(phase, lines);
    }
    const count = verb === "RESTORE"
      ? await trash.restore(user, selection)
      : await trash.purge(user, selection);
    if (count === undefined) return refused("User does not exist");
    const done = verb === "RESTORE" ? "restored" : "purged";
    phase.audit({ action: `TRASH ${verb}`, object: user, after: `${count} messages ${done}` });
    return { kind: "ok", text: `${count} messages ${done}` };
  },
});

function readArguments(text: string): Arguments {
  const { word, rest } = firstWord(text);
  const verb = word.toUpperCase();
  const { word: user, rest: which } = firstWord(rest);
  if (user === "") throw new SyntaxError(USAGE);
  if (verb === "LIST" && which.trim() === "") return { verb, user, selection: { kind: "all" } };
  if (verb !== "RESTORE" && verb !== "PURGE") throw new SyntaxError(USAGE);
  const [first = "", ...more] = which.trim().split(/ +/);
  if (first.toLowerCase() === "all" && more.length === 0) {
    return { verb, user, selection: { kind: "all" } };
  }
  if (first.toLowerCase() === "since") {
    // 2026-01-31 or 2026-01-31 12:00:00, in UTC as lists tell it.
    const written = more.join("T");
    const at = Date.parse(/T/.test(written) ? `${written.replace(/Z$/, "")}Z` : written);
    if (Number.isNaN(at)) {
      throw new SyntaxError("Invalid time: expected 2026-01-31 or 2026-01-31 12:00:00");
    }
    return { verb, user, selection: { kind: "since", at } };
  }
  if (first === "") throw new SyntaxError(USAGE);
  return { verb, user, selection: { kind: "uids", uids: [first, ...more] } };
}
