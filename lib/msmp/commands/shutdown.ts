/** SHUTDOWN: ends the server gracefully. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";

/** The SHUTDOWN command; this connection stays until the sessions have ended, so that they can be watched. */
export const shutdown = command<Administration, void, MsmpContext>({
  name: "SHUTDOWN",
  args: noArguments,
  handle(phase): Reply {
    phase.audit({ action: "SHUTDOWN" });
    phase.context.services.management.life.shutdown();
    return { kind: "ok", text: "Shutting down" };
  },
});
