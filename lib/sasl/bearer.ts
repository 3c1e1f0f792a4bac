/** SASL OAUTHBEARER (RFC 7628) and XOAUTH2 (Google's and Microsoft's): a token from elsewhere instead of a password. */
// deno-lint-ignore-file no-control-regex -- 0x01 is what both mechanisms put between their fields

import type { Credentials, LoginOutcome } from "../contracts/login_service.ts";
import { type Closing, malformed, type Mechanism, readUtf8, type Step } from "./mechanism.ts";

/** RFC 6750, section 2.1. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
/** The scheme is case-insensitive (RFC 9110, section 11.1). */
const AUTH = /^bearer +(?<token>\S+)$/i;
/** gs2-header and key/value pairs (RFC 7628, section 3.1). */
const OAUTHBEARER =
  /^(?<binding>n|y|p=[A-Za-z0-9.-]+),(?:a=(?<user>[^,\0]+))?,\x01(?<pairs>[^]*)\x01$/;
const XOAUTH2 = /^user=(?<user>[^\x01\0]+)\x01(?<pairs>[^]*)\x01$/;

/** What a client is told about a refused token (RFC 7628, section 3.2.2). */
const REFUSED = new TextEncoder().encode('{"status":"invalid_token"}');
/** XOAUTH2 clients know this number. */
const REFUSED_XOAUTH2 = new TextEncoder().encode('{"status":"401","schemes":"bearer"}');

// A bearer token in clear belongs to whoever listens: RFC 7628, section 4, asks for TLS without exception.
const offered: Mechanism["offered"] = ({ secure, bearer }) => secure && bearer;

export const oauthBearer: Mechanism = {
  name: "OAUTHBEARER",
  offered,
  start: (initial) => begin(initial, readOauthBearer),
};

export const xoauth2: Mechanism = {
  name: "XOAUTH2",
  offered,
  start: (initial) => begin(initial, readXoauth2),
};

function begin(initial: Uint8Array | undefined, read: (response: Uint8Array) => Step): Step {
  return initial === undefined
    ? { kind: "challenge", data: new Uint8Array(), next: read }
    : read(initial);
}

function readOauthBearer(response: Uint8Array): Step {
  const found = OAUTHBEARER.exec(readUtf8(response) ?? "")?.groups;
  if (found === undefined) return malformed("its message is not as RFC 7628 has it");
  if (found["binding"]?.startsWith("p")) {
    return malformed("it wants channel binding, which is not offered");
  }
  const written = found["user"];
  if (written !== undefined && /=(?!2C|3D)/.test(written)) {
    return malformed("its name holds a = that stands for nothing");
  }
  const user = written?.replaceAll("=2C", ",").replaceAll("=3D", "=");
  return credentialsOf("OAUTHBEARER", user, found["pairs"] ?? "");
}

function readXoauth2(response: Uint8Array): Step {
  const found = XOAUTH2.exec(readUtf8(response) ?? "")?.groups;
  if (found === undefined) return malformed("its message is not as XOAUTH2 has it");
  return credentialsOf("XOAUTH2", found["user"], found["pairs"] ?? "");
}

/** Takes the token out of pairs that each end with 0x01; others than `auth` (host, port) say nothing that matters here. */
function credentialsOf(
  mechanism: "OAUTHBEARER" | "XOAUTH2",
  user: string | undefined,
  pairs: string,
): Step {
  if (!/^(?:[A-Za-z]+=[^\x01\0]*\x01)+$/.test(pairs)) {
    return malformed("its pairs are not in order");
  }
  const values = pairs.split("\x01").filter((pair) => /^auth=/i.test(pair));
  const token = AUTH.exec(values[0]?.slice("auth=".length) ?? "")?.groups?.["token"];
  if (values.length !== 1 || token === undefined || !TOKEN.test(token)) {
    return malformed("it holds no bearer token, or more than one");
  }
  const credentials: Credentials = { kind: "bearer", mechanism, user, token };
  return {
    kind: "credentials",
    credentials,
    closing: (outcome) => closing(outcome, mechanism),
  };
}

/** A refusal is told as a challenge, which the client answers with nothing of weight (RFC 7628, section 3.2.3). */
function closing(outcome: LoginOutcome, mechanism: "OAUTHBEARER" | "XOAUTH2"): Closing | undefined {
  if (outcome.kind !== "refused" || outcome.reason !== "credentials") return undefined;
  return {
    data: mechanism === "XOAUTH2" ? REFUSED_XOAUTH2 : REFUSED,
    accepts: () => true,
  };
}
