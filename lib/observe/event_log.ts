/** Tells events in the log: connections at debug, failed logins at info, commands at trace. */

import type { Observer, ServerEvent } from "../contracts/event.ts";
import { type Logger, logger } from "../log/logging.ts";
import { logRejected, type RejectedLogin } from "../log/rejected_login.ts";

/** An observer that writes each event to the log, at the level that it deserves. */
export function eventLog(
  log: Logger = logger("pop3"),
  auth: Logger = logger("auth"),
): Observer {
  return (event) => {
    switch (event.type) {
      case "connected":
        return log.debug("{address} connected", pick(event));
      case "disconnected":
        return log.debug("Session {session} ended: {reason}", pick(event));
      case "tls":
        // Of those that fail HandshakeFailures tells.
        return event.ok ? log.debug("Session {session} uses {version}", pick(event)) : undefined;
      case "login":
        return log.debug("{user} logged in", pick(event));
      case "login-refused":
        return logRejected(rejected(event), auth);
      case "transformer-ended":
        return event.failure === undefined || event.failure === "cancelled"
          ? log.debug("The transformer ended after {milliseconds} ms", pick(event))
          : log.info("The transformer failed: {failure}", pick(event));
      case "command":
      case "retrieved":
      case "deleted":
      case "sent":
      case "transformer-started":
        // These are many: nothing may be made of them that nobody sees.
        if (log.isEnabledFor("trace")) log.trace("{type}", { ...event });
    }
  };
}

function rejected(event: ServerEvent & { type: "login-refused" }): RejectedLogin {
  const { user, address, reason, session, mechanism } = event;
  return { user, address, reason, session, mechanism };
}

/** What stands beside the message. Deferred, as most logs do not show it. */
function pick(event: ServerEvent): () => Record<string, unknown> {
  return () => {
    const { type: _type, ...rest } = event;
    return "at" in rest ? { ...rest, at: undefined } : rest;
  };
}
