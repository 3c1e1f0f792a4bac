/** NOOP: does nothing, and keeps the connection from being idle. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";

/** The NOOP command (version 2). */
export const noop = command<Administration, void, MsmpContext>({
  name: "NOOP",
  args: noArguments,
  handle: () => ({ kind: "ok" }),
});
