/** MSMP: chooses the version. */

import { oneWord } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { refused } from "../words.ts";

/** The MSMP command: `MSMP 2` begins version 2. */
export const msmp = command<Administration, string, MsmpContext>({
  name: "MSMP",
  args: oneWord("version"),
  handle(phase, version): Reply {
    if (version !== "2") return refused("Unknown version: expected 2");
    phase.context.upgrade();
    return { kind: "ok", text: "MSMP2" };
  },
});
