/** Bearer tokens in the words of the user directory. */

import { BearerTokens } from "./bearer_tokens.ts";
import { logger } from "../log/logging.ts";
import type { Settings } from "../contracts/settings.ts";
import { canonicalName } from "../bytes/canonical_name.ts";
import { type BearerVerifier, UserDirectoryError } from "../contracts/user_directory.ts";

const log = logger("oauth");

/** What checks bearer tokens under these settings; undefined where none is configured. */
export function bearerVerifier(settings: Settings): BearerVerifier | undefined {
  const {
    oauthIssuer: issuer,
    oauthJwks: jwks,
    oauthAudience: audience,
    oauthUserClaim: userClaim,
  } = settings;
  if (issuer === undefined || jwks === undefined || audience === undefined) return undefined;
  const canonical = (name: string): string => canonicalName(name, settings);
  const tokens = new BearerTokens({ issuer, jwks, audience, userClaim, canonical });
  return async (token, claimed) => {
    const verdict = await tokens.verify(token, claimed);
    switch (verdict.kind) {
      case "valid":
        return verdict.user;
      case "invalid":
        log.debug("A token was refused: {why}", { why: verdict.why });
        return undefined;
      case "unavailable":
        throw new UserDirectoryError(verdict.why);
    }
  };
}
