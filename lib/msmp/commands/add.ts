/** ADD: adds a user, or sets the password of one who exists. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { nameAndPassword, type NewAccount } from "../new_account.ts";
import { shown } from "../text.ts";
import { refused } from "../words.ts";

/** The ADD command. */
export const add = command<Administration, NewAccount, MsmpContext>({
  name: "ADD",
  args: nameAndPassword,
  secret: "after-first",
  async handle(phase, account): Promise<Reply> {
    const password = account.password(phase.version);
    const outcome = await phase.context.services.management.users.add(account.name, password);
    const reason = phase.version === 2 && "reason" in outcome ? `: ${outcome.reason}` : "";
    switch (outcome.kind) {
      case "unsafe-name":
        return refused(`Unsafe username${reason}`);
      case "unsafe-password":
        return refused(`Unsafe password${reason}`);
      case "limit":
        return refused("User limit reached");
      case "added":
      case "updated": {
        phase.audit({
          action: "ADD",
          object: outcome.name,
          after: `${outcome.kind}, password hidden`,
        });
        const text = outcome.kind === "added" ? "Added user" : "Updated password";
        const { trouble } = outcome;
        return {
          kind: "ok",
          text: phase.version === 1 || trouble === undefined
            ? text
            : `${text}; the mailbox cannot be created: ${shown(trouble)}`,
        };
      }
    }
  },
});
