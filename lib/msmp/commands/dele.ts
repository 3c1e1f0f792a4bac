/** DELE: deletes a user; the mail stays. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { shown } from "../text.ts";
import { name, refused } from "../words.ts";

/** The DELE command. */
export const dele = command<Administration, string, MsmpContext>({
  name: "DELE",
  args: name("user name"),
  async handle(phase, user): Promise<Reply> {
    const outcome = await phase.context.services.management.users.delete(user);
    switch (outcome.kind) {
      case "absent":
        return refused("User does not exist");
      case "logged-in":
        return refused("User is currently logged in");
      case "in-file":
        return refused(`User is in the file ${shown(outcome.path)}: remove the line there`);
      case "deleted": {
        phase.audit({ action: "DELE", object: outcome.name, before: "a user", after: "deleted" });
        const { remainsIn } = outcome;
        return {
          kind: "ok",
          text: phase.version === 1 || remainsIn === undefined
            ? "Deleted user"
            : `Deleted user; the one of this name in ${shown(remainsIn)} is in force now`,
        };
      }
    }
  },
});
