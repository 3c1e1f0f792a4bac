/** QUIT: ends the connection. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration, Authorization } from "../phases.ts";

/** The QUIT command. */
export const quit = command<Authorization | Administration, void, MsmpContext>({
  name: "QUIT",
  args: noArguments,
  handle: () => ({ kind: "ok", effect: "close" }),
});
