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
  async handle(phase, id): Promise<Reply> {
    const { fleet, sessions } = phase.context.services.management;
    const session = sessions.kick(id) ?? await fleet?.kick(id);
    if (session === undefined) return refused("No such session");
    const { user = "nobody", address } = session;
    phase.audit({ action: "KICK", object: id, before: `${user} from ${address}`, after: "ended" });
    return { kind: "ok", text: "Session ended" };
  },
});
