/** UNBAN: lets in again who is kept out. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { name, refused } from "../words.ts";

/** The UNBAN command. */
export const unban = command<Administration, string, MsmpContext>({
  name: "UNBAN",
  args: name("address or user"),
  handle(phase, subject): Reply {
    if (!phase.context.services.management.bans.lift(subject)) return refused("Not banned");
    phase.audit({ action: "UNBAN", object: subject, before: "banned", after: "let in" });
    return { kind: "ok", text: "Unbanned" };
  },
});
