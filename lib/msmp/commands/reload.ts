/** RELOAD: reads the config file, the passwd-file and the certificates again. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import { fleetOf, type ForNode, forNode } from "../node_argument.ts";
import type { Administration } from "../phases.ts";

/** The RELOAD command; what changed and what is unwise stands in the log. */
export const reload = command<Administration, ForNode<void>, MsmpContext>({
  name: "RELOAD",
  args: forNode(noArguments),
  async handle(phase, { node }): Promise<Reply> {
    if (node !== undefined) {
      await fleetOf(phase.context.services.management).tell(node, "reload");
      phase.audit({ action: "RELOAD", object: `@${node}` });
      return { kind: "ok", text: "Reloading; the log of each server says what changed" };
    }
    const { changes, warnings } = await phase.context.services.management.life.reload();
    phase.audit({ action: "RELOAD", after: changes.join(", ") || "nothing changed" });
    const counts = [
      ...(changes.length > 0 ? [`settings changed: ${changes.length}`] : []),
      ...(warnings.length > 0 ? [`warnings in the log: ${warnings.length}`] : []),
    ];
    return { kind: "ok", text: ["Reloaded", ...counts].join("; ") };
  },
});
