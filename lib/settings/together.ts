/** What must hold between settings, beyond each one's own range. */

import { SettingError } from "./errors.ts";
import type { Settings } from "../contracts/settings.ts";

/**
 * Checks settings against each other.
 *
 * @returns what is unwise, as sentences for the log
 * @throws {SettingError} when they contradict each other
 */
export function checkTogether(settings: Settings): string[] {
  checkTokens(settings);
  return [...checkCertificates(settings), ...checkDelays(settings)];
}

function* checkCertificates(settings: Settings): Generator<string> {
  const { tlsCert, tlsKey, tlsPfx, tlsPass, requireTls } = settings;
  if (tlsCert.length !== tlsKey.length) {
    throw new SettingError(
      `there are ${tlsCert.length} of --tls-cert and ${tlsKey.length} of --tls-key: ` +
        "expected a key for every certificate, in the same order",
    );
  }
  if (tlsPass !== undefined && tlsPfx === undefined) {
    throw new SettingError("--tls-pass requires --tls-pfx");
  }
  if (requireTls && tlsCert.length === 0 && tlsPfx === undefined) {
    yield "require_tls is on and there is no certificate: nobody can log in; " +
      "give --tls-cert and --tls-key, or --tls-pfx";
  }
}

/** Without an audience, tokens that the issuer made for other services would open mailboxes. */
function checkTokens({ oauthIssuer, oauthJwks, oauthAudience }: Settings): void {
  const given = [oauthIssuer, oauthJwks, oauthAudience].filter((value) => value !== undefined);
  if (given.length !== 0 && given.length !== 3) {
    throw new SettingError(
      "bearer tokens need --oauth-issuer, --oauth-jwks and --oauth-audience: expected all three, or none",
    );
  }
}

function* checkDelays({ authDelay, authDelayMax }: Settings): Generator<string> {
  if (authDelay > authDelayMax) {
    yield `auth_delay (${authDelay}) exceeds auth_delay_max (${authDelayMax}) and is limited to it`;
  }
}
