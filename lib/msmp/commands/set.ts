/** SET: changes a setting while the server runs. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { octetsOf, shown } from "../text.ts";
import { type FirstWord, firstWord, refused } from "../words.ts";

/** What version 1 allows (docs/msmp.md, "SET"). */
const MAX_KEY_OCTETS = 40;
const MAX_VALUE_OCTETS = 100;

/** The SET command. What is unwise about a value that is taken stands behind the answer of version 2. */
export const set = command<Administration, FirstWord, MsmpContext>({
  name: "SET",
  args: firstWord,
  async handle(phase, { word: key, rest }): Promise<Reply> {
    const { settings } = phase.context.services.management;
    const value = rest.trim();
    if (octetsOf(key) > MAX_KEY_OCTETS) return refused("Invalid key");
    if (phase.version === 1 && !fitsVersion1(value)) {
      // No value can be right for a key that there is not.
      return refused(settings.get(key) === undefined ? "Invalid key" : "Invalid value");
    }
    const outcome = await settings.set(key, value);
    if (outcome.kind !== "changed") {
      const text = outcome.kind === "invalid-key" ? "Invalid key" : "Invalid value";
      return refused(phase.version === 1 ? text : `${text}: ${shown(outcome.reason)}`);
    }
    const { before, after, warnings } = outcome;
    phase.audit({ action: "SET", object: key, before, after });
    const unwise = phase.version === 1 ? [] : warnings.map(shown);
    return { kind: "ok", text: ["Changed value", ...unwise].join("; ") };
  },
});

function fitsVersion1(value: string): boolean {
  return octetsOf(value) <= MAX_VALUE_OCTETS && !value.includes(" ");
}
