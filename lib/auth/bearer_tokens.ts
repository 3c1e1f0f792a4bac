/** Verifying bearer tokens: JSON Web Tokens (RFC 7519) signed by a configured issuer. */

import { type Clock, systemClock } from "../async/clock.ts";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
} from "jose";

/** Settings of {@linkcode BearerTokens}. */
export interface BearerTokenOptions {
  /** What `iss` must be. */
  readonly issuer: string;
  /** What `aud` must hold. */
  readonly audience: string;
  /** The issuer's keys (RFC 7517): a file, or an https URL. */
  readonly jwks: string;
  /** The claim that names the user. */
  readonly userClaim: string;
  /** The one form of a name, in which the client's and the token's are compared. @default the name as it stands */
  readonly canonical?: (name: string) => string;
  /** Seconds by which clocks may differ. @default 30 */
  readonly clockTolerance?: number;
  /** Milliseconds for fetching keys. @default 5000 */
  readonly fetchTimeout?: number;
  /** Milliseconds for which fetched keys are good without asking again. @default 600000 */
  readonly keepKeys?: number;
  /** Milliseconds that lie at least between two fetches, or two looks at the file. @default 30000 */
  readonly fetchPause?: number;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/** What came of a token. The texts are for the log and hold nothing of the token. */
export type TokenVerdict =
  | { readonly kind: "valid"; readonly user: string }
  | { readonly kind: "invalid"; readonly why: string }
  | { readonly kind: "unavailable"; readonly why: string };

/**
 * Signatures by a private key only. A shared-secret algorithm would let whoever knows the public keys sign, and `none`
 * anybody (RFC 8725, section 3.1).
 */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
/** Characters of a token; longer ones cannot come over a SASL line anyway. */
const MAX_TOKEN = 9_216;

/** Verifies the tokens of one issuer. */
export class BearerTokens {
  readonly #options: BearerTokenOptions;
  readonly #keys: JWTVerifyGetKey;

  /** @throws {TypeError} when `jwks` is an http URL to another machine */
  constructor(options: BearerTokenOptions) {
    this.#options = options;
    this.#keys = /^https?:/i.test(options.jwks) ? remoteKeys(options) : fileKeys(options);
  }

  /**
   * Checks signature, issuer, audience and time, and finds the user.
   *
   * @param claimed the name that the client gave; where it gave one, the token must say the same
   */
  async verify(token: string, claimed: string | undefined): Promise<TokenVerdict> {
    const { issuer, audience, clockTolerance = 30, clock = systemClock } = this.#options;
    if (token.length > MAX_TOKEN) return { kind: "invalid", why: "the token is too long" };
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance,
        currentDate: new Date(clock.wall()),
        requiredClaims: ["exp"],
      });
      return this.#userOf(payload, claimed);
    } catch (error) {
      return verdictOf(error);
    }
  }

  #userOf(payload: JWTPayload, claimed: string | undefined): TokenVerdict {
    const { userClaim, canonical = (name) => name } = this.#options;
    const user = Object.hasOwn(payload, userClaim) ? payload[userClaim] : undefined;
    if (typeof user !== "string" || user === "") {
      return { kind: "invalid", why: `the token has no text in its claim ${userClaim}` };
    }
    // Some issuers give addresses that a user may change without proof (OpenID Connect Core, section 5.1).
    // A few write the truth value as text.
    if (userClaim === "email" && /^false$/i.test(String(payload["email_verified"]))) {
      return { kind: "invalid", why: "the token's address is not verified" };
    }
    if (claimed !== undefined && canonical(claimed) !== canonical(user)) {
      return { kind: "invalid", why: "the token is another user's" };
    }
    return { kind: "valid", user };
  }
}

function verdictOf(error: unknown): TokenVerdict {
  const why = error instanceof Error ? error.message : String(error);
  const keysAtFault = error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid ||
    !(error instanceof errors.JOSEError);
  // jose says of a fetch that went wrong only that it did, with its general error.
  const fetchFailed = error instanceof errors.JOSEError && error.code === "ERR_JOSE_GENERIC";
  return keysAtFault || fetchFailed
    ? { kind: "unavailable", why: `the issuer's keys cannot be had: ${why}` }
    : { kind: "invalid", why };
}

function remoteKeys(options: BearerTokenOptions): JWTVerifyGetKey {
  const { jwks, fetchTimeout = 5000, keepKeys = 600_000, fetchPause = 30_000 } = options;
  const { clock = systemClock } = options;
  const url = new URL(jwks);
  const local = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.protocol !== "https:" && !local) {
    throw new TypeError(
      `The issuer's keys at ${jwks} would come in clear, so that anybody on the way could exchange them: use https.`,
    );
  }
  const make = (): JWTVerifyGetKey =>
    createRemoteJWKSet(url, {
      timeoutDuration: fetchTimeout,
      cacheMaxAge: keepKeys,
      cooldownDuration: fetchPause,
    });
  const offset = (): number => clock.wall() - clock.monotonic();
  let keys = make();
  let made = offset();
  return (header, token) => {
    // jose measures by the wall clock: once that was set back, the issuer's new keys would not be asked for until it has caught up.
    if (Math.abs(offset() - made) > fetchPause) {
      keys = make();
      made = offset();
    }
    return keys(header, token);
  };
}

/** Keys from a file, which is looked at again after a while. A file that is just being exchanged leaves the old keys in force. */
function fileKeys(options: BearerTokenOptions): JWTVerifyGetKey {
  const { jwks, fetchPause = 30_000, clock = systemClock } = options;
  let known: JWTVerifyGetKey | undefined;
  let looked = -Infinity;

  async function keys(): Promise<JWTVerifyGetKey> {
    const now = clock.monotonic();
    if (known !== undefined && now - looked < fetchPause) return known;
    looked = now;
    try {
      return known = createLocalJWKSet(JSON.parse(await Deno.readTextFile(jwks)) as JSONWebKeySet);
    } catch (error) {
      if (known === undefined) throw error;
      return known;
    }
  }
  return async (header, token) => (await keys())(header, token);
}
