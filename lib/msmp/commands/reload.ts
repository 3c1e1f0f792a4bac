/** RELOAD: reads the config file, the passwd-file and the certificates again. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";

/** The RELOAD command; what changed and what is unwise stands in the log. */
export const reload = command<Administration, void, MsmpContext>({
  name: "RELOAD",
  args: noArguments,
  async handle(phase): Promise<Reply> {
    const { changes, warnings } = await phase.context.services.management.life.reload();
    phase.audit({ action: "RELOAD", after: changes.join(", ") || "nothing changed" });
    const counts = [
      ...(changes.length > 0 ? [`settings changed: ${changes.length}`] : []),
      ...(warnings.length > 0 ? [`warnings in the log: ${warnings.length}`] : []),
    ];
    return { kind: "ok", text: ["Reloaded", ...counts].join("; ") };
  },
});
