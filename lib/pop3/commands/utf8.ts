/** UTF8 (RFC 6856, section 2): the client can take UTF-8. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { Pop3Context } from "../context.ts";
import type { Authorization } from "../phases.ts";

/** The UTF8 command. Messages are always sent as they are stored; names and passwords in UTF-8 are taken (argument USER). */
export const utf8 = command<Authorization, void, Pop3Context>({
  name: "UTF8",
  args: noArguments,
  capability: () => "UTF8 USER",
  handle(phase): Reply {
    phase.context.utf8 = true;
    return { kind: "ok", text: "UTF-8 enabled" };
  },
});
