/** A record a session: noted at login, completed at the end, and then told as a line of the log. */

import type { AccessEnd, AccessLog } from "../contracts/record_store.ts";
import type { CloseReason } from "../contracts/event.ts";
import { type Logger, logger } from "../log/logging.ts";
import type { SessionListener, SessionView } from "./sessions.ts";

/** Writes a session that is over as a line of JSON; times are ISO 8601, UTC. @param write takes the line with its end */
export function accessLines(write: (line: string) => void): SessionListener {
  return {
    ended({ id, user, login, ...session }: SessionView, reason: CloseReason, at: number): void {
      if (user === undefined || login === undefined) return;
      const { address, tls = null, mechanism, retrieved, retrievedOctets, deleted } = session;
      write(`${
        JSON.stringify({
          login: new Date(login).toISOString(),
          ended: new Date(at).toISOString(),
          session: id,
          user,
          address,
          tls,
          mechanism,
          messages: retrieved,
          octets: retrievedOctets,
          deleted,
          ending: reason,
        })
      }\n`);
    },
  };
}

/**
 * Listens to the sessions and writes the access log. Sessions that never logged in leave no record.
 *
 * @param store what it writes to: notes are taken at once and reach the disk later
 */
export function accessLog(
  store: Pick<AccessLog, "opened" | "completed">,
  log: Logger = logger("access"),
): SessionListener {
  return {
    opened({ id, user, login, address, tls, mechanism }: SessionView): void {
      if (user === undefined || login === undefined || mechanism === undefined) return;
      store.opened({ session: id, at: login, user, address, tls, mechanism });
    },
    ended(session: SessionView, reason: CloseReason, at: number): void {
      if (session.login === undefined) return;
      const end: AccessEnd = {
        ended: at,
        messages: session.retrieved,
        octets: session.retrievedOctets,
        deleted: session.deleted,
        ending: reason,
      };
      try {
        store.completed(session.id, end);
      } finally {
        tell(log, session, end);
      }
    },
  };
}

function tell(log: Logger, session: SessionView, end: AccessEnd): void {
  const { id, user, address, tls, mechanism, login = end.ended } = session;
  const { messages, octets, deleted, ending } = end;
  log.info(
    "{user} from {address}: {messages} messages, {octets} octets, {deleted} deleted, {ending}",
    {
      user,
      address,
      messages,
      octets,
      deleted,
      ending,
      session: id,
      tls,
      mechanism,
      login: new Date(login).toISOString(),
      milliseconds: end.ended - login,
    },
  );
}
