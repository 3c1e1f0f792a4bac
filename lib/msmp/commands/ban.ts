/** BAN: keeps an address, a network or a user out for a while. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { shown, timeWord } from "../text.ts";
import { name, refused, wholeNumber } from "../words.ts";

/** A year. */
const LONGEST_SECONDS = 31_536_000;

/** The BAN command. A name may hold blanks: what names a user as it stands has no number of seconds behind it. */
export const ban = command<Administration, string, MsmpContext>({
  name: "BAN",
  args: name("address or user"),
  async handle(phase, given): Promise<Reply> {
    const { bans, users } = phase.context.services.management;
    const whole = await users.find(given);
    const { target, seconds } = whole === undefined ? targetAndSeconds(given) : { target: whole };
    const outcome = bans.order(target, seconds);
    if (outcome.kind === "invalid") {
      return refused(shown(`Invalid address or user: ${outcome.reason}`));
    }
    const { subject, until } = outcome;
    phase.audit({ action: "BAN", object: subject, after: `banned until ${timeWord(until)}` });
    return { kind: "ok", text: shown(`Banned ${subject} until ${timeWord(until)}`) };
  },
});

/** @throws {SyntaxError} when what stands behind the target is no number of seconds */
function targetAndSeconds(text: string): { target: string; seconds?: number } {
  const count = / (\d+)$/.exec(text);
  if (count === null) return { target: text };
  return {
    target: text.slice(0, count.index).trim(),
    seconds: wholeNumber(count[1]!, "number of seconds", 1, LONGEST_SECONDS),
  };
}
