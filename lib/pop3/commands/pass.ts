/** PASS (RFC 1939, section 7): gives the password and logs in. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { passwordsAllowed, tlsFirst } from "../passwords_allowed.ts";
import type { Pop3Context } from "../context.ts";
import { logIn } from "../login.ts";
import type { Authorization } from "../phases.ts";

/** The PASS command. Blanks belong to the password (RFC 1939, section 7: the argument is the rest of the line). */
export const pass = command<Authorization, string, Pop3Context>({
  name: "PASS",
  args: (rest) => rest,
  secret: "all",
  available: passwordsAllowed,
  absent: tlsFirst,
  handle(phase, password): Reply | Promise<Reply> {
    if (phase.user === undefined) return { kind: "error", text: "Send USER first" };
    return logIn(phase, { kind: "password", mechanism: "USER", user: phase.user, password });
  },
});
