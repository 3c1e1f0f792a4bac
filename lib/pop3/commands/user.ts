/** USER (RFC 1939, section 7): names the mailbox. */

import { restOfLine } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { Pop3Context } from "../context.ts";
import { calledBy } from "../greeting.ts";
import type { Authorization } from "../phases.ts";
import { passwordsAllowed, tlsFirst } from "../passwords_allowed.ts";

/** The USER command; any name is taken, so that nobody learns which exist. */
export const user = command<Authorization, string, Pop3Context>({
  name: "USER",
  // Blanks at the end do no harm; a CR or another control there is part of a name that is nobody's.
  args: (rest) => restOfLine("user name")(rest.replace(/ +$/, "")),
  available: passwordsAllowed,
  absent: tlsFirst,
  capability: () => "USER",
  handle(phase, name): Reply {
    phase.user = name;
    const { greetingStyle } = phase.context.services.settings;
    return {
      kind: "ok",
      text: greetingStyle === "plain" ? "send PASS" : `${calledBy(name, "Hello")}, now send PASS`,
    };
  },
});
