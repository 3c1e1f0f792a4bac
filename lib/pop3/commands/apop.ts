/** APOP (RFC 1939, section 7): logs in by a digest of a shared secret, for clients that know nothing better. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { Pop3Context } from "../context.ts";
import { logIn } from "../login.ts";
import { passwordsAllowed, tlsFirst } from "../passwords_allowed.ts";
import type { Authorization } from "../phases.ts";

interface Digest {
  readonly user: string;
  /** Hexadecimal MD5. */
  readonly digest: string;
}

/** The APOP command; MD5 is broken (CVE-2007-1558), so it exists only where it was asked for. */
export const apop = command<Authorization, Digest, Pop3Context>({
  name: "APOP",
  args: readDigest,
  secret: "after-first",
  // A digest in clear is as good as the password to whoever can guess, and what follows is mail in clear.
  available: (context) => context.services.settings.apop && passwordsAllowed(context),
  absent: (context) => context.services.settings.apop ? tlsFirst(context) : undefined,
  handle(phase, { user, digest }): Promise<Reply> {
    return logIn(phase, {
      kind: "apop",
      mechanism: "APOP",
      user,
      timestamp: phase.context.timestamp,
      digest,
    });
  },
});

function readDigest(rest: string): Digest {
  const blank = rest.lastIndexOf(" ");
  const digest = rest.slice(blank + 1).toLowerCase();
  if (blank < 1 || !/^[0-9a-f]{32}$/.test(digest)) {
    throw new SyntaxError("Expected a name and an MD5 digest of 32 hexadecimal digits");
  }
  return { user: rest.slice(0, blank), digest };
}
