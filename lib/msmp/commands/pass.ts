/** PASS: gives the administrator's password and logs in. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { MsmpContext } from "../context.ts";
import type { Authorization } from "../phases.ts";
import { TOO_MANY_ADMINISTRATORS } from "../refusals.ts";

/** Wrong passwords after which a connection ends (docs/msmp.md, "Hardening"). */
const MAX_FAILURES = 4;

/** The PASS command. Blanks belong to the password, in both versions: the version is chosen after it. */
export const pass = command<Authorization, string, MsmpContext>({
  name: "PASS",
  args: (rest) => rest,
  secret: "all",
  handle(phase, password): Reply | Promise<Reply> {
    const { secure, services } = phase.context;
    if (!services.clearAllowed && !secure) return { kind: "error", text: "TLS required" };
    return logIn(phase, password);
  },
});

async function logIn(phase: Authorization, password: string): Promise<Reply> {
  const { management, address, keepSlot, penalty } = phase.context.services;
  // Asked for here: the client may leave while its password is checked.
  const gone = phase.context.goneSignal();
  const attempt = { name: phase.user, password, address };
  const outcome = await management.administrators.verify(attempt, gone);
  if (outcome.kind === "granted") {
    if (!await keepSlot(gone)) return TOO_MANY_ADMINISTRATORS;
    phase.context.enter(outcome.administrator);
    return { kind: "ok", text: "Logged in" };
  }
  const inTime = await penalty(outcome.delay, gone);
  const text = outcome.kind === "refused"
    ? "Invalid credentials"
    : "Logins cannot be checked now, try again later";
  const refusal: Reply = { kind: "error", text };
  if (++phase.failures < MAX_FAILURES && inTime) return refusal;
  return { ...refusal, effect: "close", reason: "failed-logins" };
}
