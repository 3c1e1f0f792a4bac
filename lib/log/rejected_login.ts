/** The one line of a failed login, in a form that other programs go by (fail2ban: dist/fail2ban/postern.conf). */

import { type Logger, logger } from "./logging.ts";

/** A login that failed. */
export interface RejectedLogin {
  /** As the client said it; an administrator's name begins with `admin/`. */
  readonly user: string;
  readonly address: string;
  readonly reason: string;
  /** More to stand behind the line. */
  readonly [property: string]: unknown;
}

/** Characters of a name that are told. */
const LONGEST_NAME = 200;
/** What could end the name before its end, be read as a name of ours, or be changed on its way through a log. */
const UNSAFE = /[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\<>"'={}%]/gu;

/**
 * Writes `postern-auth: rejected user=<…> rip=<…> reason=…`. The form is fixed: nothing that a client says can end the name, or
 * look like another such line.
 */
export function logRejected(login: RejectedLogin, log: Logger = logger("auth")): void {
  log.info(
    `postern-auth: rejected user=<${inBrackets(login.user)}> rip=<{address}> reason={reason}`,
    { ...login },
  );
}

/** Percent-encoded as in a URL (RFC 3986, section 2.1), which no log escapes once more. */
function inBrackets(user: string): string {
  const shown = user.length > LONGEST_NAME ? `${user.slice(0, LONGEST_NAME)}…` : user;
  return shown.toWellFormed().replace(UNSAFE, (character) =>
    new TextEncoder().encode(character)
      .reduce((text, octet) => `${text}%${octet.toString(16).padStart(2, "0")}`, ""));
}
