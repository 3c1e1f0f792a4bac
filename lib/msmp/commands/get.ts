/** GET: the value of a setting. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { shown } from "../text.ts";
import { refused } from "../words.ts";

/** The GET command. */
export const get = command<Administration, string, MsmpContext>({
  name: "GET",
  args: (rest) => rest.trim(),
  handle(phase, key): Reply {
    const value = phase.context.services.management.settings.get(key);
    return value === undefined ? refused("Invalid key") : { kind: "ok", text: shown(value) };
  },
});
