/** KICK: ends a POP3 session; nothing is deleted for it. */

import { oneWord } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { refused } from "../words.ts";

/** The KICK command. */
export const kick = command<Administration, string, MsmpContext>({
  name: "KICK",
  args: oneWord("session id"),
  handle(phase, id): Reply {
    const session = phase.context.services.management.sessions.kick(id);
    if (session === undefined) return refused("No such session");
    const { user = "nobody", address } = session;
    phase.audit({ action: "KICK", object: id, before: `${user} from ${address}`, after: "ended" });
    return { kind: "ok", text: "Session ended" };
  },
});
