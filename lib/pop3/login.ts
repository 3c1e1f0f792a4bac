/** From credentials to an open maildrop: what PASS, APOP and AUTH have in common. */

import { type Maildrop, MaildropUnreadableError } from "../contracts/mail_store.ts";
import type { Credentials, Lease, LoginOutcome } from "../contracts/login_service.ts";
import { raiseFence } from "../locks/fence.ts";
import type { ClosingState } from "../sasl/exchange.ts";
import type { Reply } from "../wire/reply.ts";
import { logger } from "../log/logging.ts";
import { tellLater, TOO_MANY_SESSIONS } from "./refusals.ts";
import { calledBy } from "./greeting.ts";
import type { Authorization } from "./phases.ts";

const log = logger("pop3");

/** Failed logins after which a session ends (pop3.md, `auth_delay`). */
export const MAX_FAILURES = 3;

type Granted = Extract<LoginOutcome, { kind: "granted" }>;

/** What an exchange still has to say once its credentials were checked. */
type ClosingOf = (outcome: LoginOutcome) => ClosingState | undefined;

/**
 * Logs in: checks the credentials, takes the lock, opens the maildrop and enters TRANSACTION (RFC 1939, section 4).
 *
 * @param closingOf what a SASL exchange says before the login takes effect
 * @returns the answer for the client; the same for an unknown user and a wrong password
 */
export async function logIn(
  phase: Authorization,
  credentials: Credentials,
  closingOf?: ClosingOf,
): Promise<Reply> {
  const { loginService, identity, penalty } = phase.context.services;
  phase.user = undefined;
  // Asked for here: the client may leave while its credentials are checked.
  const gone = phase.context.workSignal();
  const outcome = await loginService.login(identity, credentials, gone);
  phase.context.idled(outcome.waited ?? 0);
  const closing = closingOf?.(outcome);
  if (outcome.kind === "refused") {
    const { delay = 0 } = outcome;
    const begun = performance.now();
    if (!await penalty(delay, gone)) phase.failures = MAX_FAILURES;
    phase.context.idled(performance.now() - begun);
    const refusal = refuse(phase, outcome);
    if (closing === undefined) return refusal;
    // Whatever the client answers to the reasons, it is refused (RFC 7628, section 3.2.3).
    return { kind: "challenge", data: closing.data, answer: () => Promise.resolve(refusal) };
  }
  if (closing === undefined) return await openTransaction(phase, outcome, credentials.mechanism);
  phase.granted = outcome.lease;
  return {
    kind: "challenge",
    data: closing.data,
    answer: async (line) => {
      const failure = closing.answer(line);
      if (failure !== undefined) {
        await phase.close("error");
        return { kind: "error", text: failure.why, bad: true };
      }
      phase.granted = undefined;
      return await openTransaction(phase, outcome, credentials.mechanism);
    },
  };
}

async function openTransaction(
  phase: Authorization,
  { user, record, lease, readOnly = false }: Granted,
  mechanism: string,
): Promise<Reply> {
  const { clock, close, identity, keepSlot, releaseSlot, store } = phase.context.services;
  const { session } = identity;
  const signal = phase.context.workSignal();
  if (!await keepSlot(signal)) {
    await lease[Symbol.asyncDispose]();
    return TOO_MANY_SESSIONS;
  }
  const begun = performance.now();
  // QUIT finds out by itself, and says what it could not remove.
  lease.onLost(() => {
    if (phase.context.phase !== "update") close("lock-lost");
  });
  let maildrop;
  try {
    maildrop = await openMaildrop(
      store.acquire(user, signal, () => raiseFence(lease, clock), record),
      lease,
    );
  } catch (error) {
    releaseSlot();
    if (signal.aborted) {
      log.debug("The session of {user} ended before its maildrop was opened", { session, user });
    } else {
      log.error("Cannot open the maildrop of {user}: {error}", { session, user, error });
    }
    return error instanceof MaildropUnreadableError
      ? {
        kind: "error",
        code: "SYS/PERM",
        text: "The maildrop cannot be read; contact the postmaster",
      }
      : tellLater("The maildrop cannot be opened", identity);
  }
  const milliseconds = performance.now() - begun;
  const summary = phase.context.enter({
    user,
    mechanism,
    maildrop,
    lease,
    readOnly,
    deletes: record?.deletes ?? phase.context.services.settings.deletes,
    milliseconds,
  });
  const { greetingStyle } = phase.context.services.settings;
  return {
    kind: "ok",
    text: greetingStyle === "plain" ? summary : `${calledBy(user, "Welcome")}, you have ${summary}`,
  };
}

/** A lock without a maildrop is given back. */
async function openMaildrop(opening: Promise<Maildrop>, lease: Lease): Promise<Maildrop> {
  try {
    return await opening;
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    throw error;
  }
}

/** A refusal that counts as a failure ends the session when it is one too many. */
export function refuse(
  phase: Authorization,
  outcome: Extract<LoginOutcome, { kind: "refused" }>,
): Reply {
  switch (outcome.reason) {
    case "credentials":
      // RFC 3206, section 5: AUTH says that the credentials are at fault, whatever is wrong with them.
      return failed(phase, { kind: "error", code: "AUTH", text: "Authentication failed" });
    case "in-use":
      // RFC 2449, section 8.1.2.
      return { kind: "error", code: "IN-USE", text: "The maildrop is in use by another session" };
    case "login-delay":
      return {
        kind: "error",
        code: "LOGIN-DELAY",
        text: `Log in again in ${outcome.seconds ?? 1} seconds at the earliest`,
      };
    case "unavailable":
      return failed(
        phase,
        tellLater("Logins cannot be checked now", phase.context.services.identity),
      );
  }
}

function failed(phase: Authorization, reply: Reply): Reply {
  phase.failures++;
  if (phase.failures < MAX_FAILURES) return reply;
  return { ...reply, effect: "close", reason: "failed-logins" } as Reply;
}
