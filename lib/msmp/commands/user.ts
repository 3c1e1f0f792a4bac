/** USER: names the administrator. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import type { Authorization } from "../phases.ts";
import { name } from "../words.ts";

/** The USER command; any name is taken, so that nobody learns which exist. */
export const user = command<Authorization, string, MsmpContext>({
  name: "USER",
  args: name("user name"),
  handle(phase, given): Reply {
    phase.user = given;
    return { kind: "ok" };
  },
});
