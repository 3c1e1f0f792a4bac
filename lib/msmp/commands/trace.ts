/** TRACE: every command and answer of a user's or an address's sessions, until the client says something. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";

interface Arguments {
  readonly subject: string;
  readonly bodies: boolean;
}

/** The TRACE command; it ends by itself, too. */
export const trace = command<Administration, Arguments, MsmpContext>({
  name: "TRACE",
  args: (text) => {
    const words = text.trim().split(/ +/);
    const bodies = words.length > 1 && words.at(-1)!.toLowerCase() === "bodies";
    const subject = words.slice(0, bodies ? -1 : undefined).join(" ");
    if (subject === "") throw new SyntaxError("Missing user or address");
    return { subject, bodies };
  },
  handle(phase, { subject, bodies }): Reply {
    const { context } = phase;
    // Asked for here, for the parts are made later.
    const signal = context.workSignal();
    phase.audit({
      action: "TRACE",
      object: subject,
      after: bodies ? "begun, with messages" : "begun",
    });
    const parts = context.services.management.traces.open(subject, { bodies }, signal);
    const audited = async function* (): AsyncGenerator<readonly string[]> {
      try {
        yield* parts;
      } finally {
        phase.audit({ action: "TRACE", object: subject, after: "ended" });
      }
    };
    return { kind: "live", text: "", parts: audited() };
  },
});
