/** SHUTDOWN: ends the server gracefully. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import { fleetOf, type ForNode, forNode } from "../node_argument.ts";
import type { Administration } from "../phases.ts";

/** The SHUTDOWN command; this connection stays until the sessions have ended, so that they can be watched. */
export const shutdown = command<Administration, ForNode<void>, MsmpContext>({
  name: "SHUTDOWN",
  args: forNode(noArguments),
  async handle(phase, { node }): Promise<Reply> {
    if (node !== undefined) {
      await fleetOf(phase.context.services.management).tell(node, "shutdown");
      phase.audit({ action: "SHUTDOWN", object: `@${node}` });
      return { kind: "ok", text: "Shutting down" };
    }
    phase.audit({ action: "SHUTDOWN" });
    phase.context.services.management.life.shutdown();
    return { kind: "ok", text: "Shutting down" };
  },
});
